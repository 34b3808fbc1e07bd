# METADATA
# title: No image stands on an old base image
package pipeline.base_image

deny contains {"msg": msg, "subject": image.image} if {
	some image in input.images
	image.base.age_days > data.policy.base_image.max_age_days
	msg := sprintf(
		"%s stands on %s, %d days old, allowed are %d",
		[image.image, image.base.name, image.base.age_days, data.policy.base_image.max_age_days],
	)
}

warn contains {"msg": msg, "outcome": "skipped"} if {
	some image in input.images
	is_object(image.base)
	is_null(image.base.age_days)
	msg := sprintf("%s: the age of its base image %q isn't known", [image.image, image.base.name])
}
