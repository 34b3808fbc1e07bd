# METADATA
# title: Every image is signed, on every platform, by somebody who is believed
package pipeline.signatures

deny contains {"msg": msg, "subject": image.image} if {
	data.policy.signatures == "required"
	some image in input.images
	some platform in image.platforms
	not platform.signature.verified
	not is_null(platform.signature)
	msg := sprintf("%s %s: %s", [image.image, platform.platform, platform.signature.why])
}

warn contains {"msg": "nothing is signed before it is published", "outcome": "skipped"} if {
	some image in input.images
	some platform in image.platforms
	is_null(platform.signature)
}
