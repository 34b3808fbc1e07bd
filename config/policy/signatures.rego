# METADATA
# title: Every image is signed, its index and every platform, by somebody who is trusted
package pipeline.signatures

signatures(image) := object.union({image.image: image.signature}, {name: platform.signature |
	some platform in image.platforms
	name := sprintf("%s %s", [image.image, platform.platform])
})

deny contains {"msg": msg, "subject": image.image} if {
	data.policy.signatures == "required"
	some image in input.images
	some name, signature in signatures(image)
	is_object(signature)
	not signature.verified
	msg := sprintf("%s: %s", [name, signature.why])
}

warn contains {"msg": "nothing is signed before it is published", "outcome": "skipped"} if {
	some image in input.images
	some signature in signatures(image)
	is_null(signature)
}
