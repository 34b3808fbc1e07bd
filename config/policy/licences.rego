# METADATA
# title: Every package has a licence that policy.yml allows
package pipeline.licences

# A choice of licences, "MIT OR Apache-2.0", is fine if one of them is.
acceptable(expression) if {
	some choice in regex.split(`\s+OR\s+|/`, expression)
	every identifier in identifiers(choice) {
		allowed(identifier)
	}
}

identifiers(expression) := {identifier |
	some identifier in regex.split(`[\s()]+`, expression)
	not identifier in {"", "AND", "WITH"}
}

allowed(identifier) if {
	not identifier in data.policy.licences.denied
	count(data.policy.licences.allowed) == 0
}

allowed(identifier) if {
	not identifier in data.policy.licences.denied
	identifier in data.policy.licences.allowed
}

deny contains {"msg": msg, "subject": pkg.purl} if {
	some image in input.images
	some platform in image.platforms
	some pkg in platform.sbom.packages
	some expression in pkg.licences
	not acceptable(expression)
	msg := sprintf("%s %s: %s", [pkg.name, pkg.version, expression])
}

deny contains {"msg": msg, "subject": pkg.purl} if {
	data.policy.licences.unknown == "deny"
	some image in input.images
	some platform in image.platforms
	some pkg in platform.sbom.packages
	count(pkg.licences) == 0
	msg := sprintf("%s %s: no licence is known", [pkg.name, pkg.version])
}

warn contains {"msg": msg, "outcome": "skipped"} if {
	some image in input.images
	some platform in image.platforms
	is_null(platform.sbom)
	msg := sprintf("%s %s: there is no SBOM", [image.image, platform.platform])
}
