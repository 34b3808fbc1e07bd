# METADATA
# title: SBOM, scan and provenance are attested to every image, as policy.yml asks
package pipeline.attestations

deny contains {"msg": msg, "subject": image.image} if {
	some image in input.images
	some platform in image.platforms
	some kind in data.policy.attestations
	is_object(platform.attestations)
	not platform.attestations[kind].verified
	why := object.get(platform.attestations, [kind, "why"], "it isn't there")
	msg := sprintf("%s %s: %s: %s", [image.image, platform.platform, kind, why])
}

warn contains {"msg": "nothing is attested before it is published", "outcome": "skipped"} if {
	some image in input.images
	some platform in image.platforms
	is_null(platform.attestations)
}
