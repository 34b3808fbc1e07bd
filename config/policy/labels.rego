# METADATA
# title: Every image says what it is, by the labels in policy.yml
package pipeline.labels

deny contains {"msg": msg, "subject": image.image} if {
	some image in input.images
	some platform in image.platforms
	some label in data.policy.labels
	object.get(platform.labels, label, "") == ""
	msg := sprintf("%s %s lacks %s", [image.image, platform.platform, label])
}
