# METADATA
# title: Every program and library belongs to a package of the SBOM, unchanged, and every package is there
package pipeline.sbom

deny contains {"msg": msg, "subject": image.image} if {
	some image in input.images
	some platform in image.platforms
	some kind, what in {
		"unexplained": "is of no package",
		"changed": "isn't as its package has it",
		"unbacked": "is in the SBOM, but nothing of it in the image",
	}
	some name in platform.sbom[kind]
	msg := sprintf("%s %s: %s %s", [image.image, platform.platform, name, what])
}

warn contains {"msg": msg, "outcome": "skipped"} if {
	some image in input.images
	some platform in image.platforms
	is_null(platform.sbom)
	msg := sprintf("%s %s: there is no SBOM", [image.image, platform.platform])
}
