# METADATA
# title: Every image is within the size limit of its service.yml
package pipeline.size

deny contains {"msg": msg, "subject": image.image} if {
	some image in input.images
	some platform in image.platforms
	is_number(platform.size)
	is_number(image.size_limit)
	platform.size > image.size_limit
	msg := sprintf(
		"%s %s has %d bytes, allowed are %d",
		[image.image, platform.platform, platform.size, image.size_limit],
	)
}

warn contains {"msg": msg, "outcome": "skipped"} if {
	some image in input.images
	is_null(image.size_limit)
	msg := sprintf("%s: its limit isn't known here", [image.image])
}
