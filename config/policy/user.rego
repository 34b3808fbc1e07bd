# METADATA
# title: Nobody runs as root, and the user is a number that Kubernetes can check
package pipeline.user

deny contains {"msg": msg, "subject": image.image} if {
	some image in input.images
	some platform in image.platforms
	not regex.match(`^[1-9][0-9]*(:[0-9]+)?$`, platform.user)
	msg := sprintf("%s %s runs as %q", [image.image, platform.platform, platform.user])
}
