# Each rule passes a good image and fails a bad one: `conftest verify --policy config/policy`.
package policy_test

import data.pipeline

policy := {
	"labels": ["title"],
	"licences": {"denied": ["AGPL-3.0-only"], "allowed": [], "unknown": "allow"},
	"base_image": {"max_age_days": 90},
	"signatures": "required",
	"attestations": ["sbom"],
}

platform := {
	"platform": "linux/amd64",
	"size": 10,
	"user": "65532:65532",
	"labels": {"title": "Shop"},
	"sbom": {
		"packages": [{"name": "a", "version": "1", "purl": "pkg:npm/a@1", "licences": ["MIT"]}],
		"unexplained": [],
		"changed": [],
		"unbacked": [],
	},
	"signature": {"verified": true, "by": "a key", "why": ""},
	"attestations": {"sbom": {"verified": true, "by": "a key", "why": ""}},
}

image := {
	"image": "shop",
	"size_limit": 10,
	"signature": {"verified": true, "by": "a key", "why": ""},
	"base": null,
	"platforms": [platform],
}

good := {"images": [image], "findings": []}

with_image(change) := {"images": [object.union(image, change)], "findings": []}

with_platform(change) := with_image({"platforms": [object.union(platform, change)]})

with_licences(licences) := with_platform({"sbom": {
	"packages": [{"name": "a", "version": "1", "purl": "pkg:npm/a@1", "licences": licences}],
	"unexplained": [],
}})

finding(kind, result) := {"images": [image], "findings": [{
	"kind": kind,
	"ids": ["CVE-1"],
	"package": "a",
	"title": "Something is wrong",
	"places": [{"path": "app/a"}],
	"result": result,
	"why": "high, fixed in 2",
}]}

# Every rule that there is: a new one has to be named here, and so gets a test.
rules := {name | some name, _ in pipeline}

denied(name, facts) := said if {
	said := pipeline[name].deny with input as facts with data.policy as policy
}

test_rules_are_all_tested if {
	rules == {
		"attestations", "base_image", "labels", "licences", "misconfigurations", "sbom",
		"secrets", "signatures", "size", "user", "vulnerabilities",
	}
}

test_good_images_pass if {
	every name in rules {
		count(denied(name, good)) == 0
	}
}

test_findings_that_block_fail if {
	count(denied("vulnerabilities", finding("vulnerability", "fail"))) == 1
	count(denied("secrets", finding("secret", "fail"))) == 1
	count(denied("misconfigurations", finding("misconfiguration", "fail"))) == 1
}

test_findings_that_may_stay_pass if {
	count(denied("vulnerabilities", finding("vulnerability", "pass"))) == 0
	count(denied("vulnerabilities", finding("vulnerability", "waived"))) == 0
	count(denied("secrets", finding("vulnerability", "fail"))) == 0
}

test_waived_findings_are_shown if {
	said := pipeline.vulnerabilities.warn with input as finding("vulnerability", "waived")
	some each in said
	each.outcome == "waived"
}

test_size if count(denied("size", with_platform({"size": 11}))) == 1

test_size_without_a_limit_is_skipped if {
	facts := with_image({"size_limit": null})
	count(denied("size", facts)) == 0
	some each in pipeline.size.warn with input as facts
	each.outcome == "skipped"
}

test_root_and_names if {
	every user in ["", "0", "root", "0:0", "nobody"] {
		count(denied("user", with_platform({"user": user}))) == 1
	}
}

test_user_without_a_group if count(denied("user", with_platform({"user": "65532"}))) == 0

test_labels if count(denied("labels", with_platform({"labels": {"title": ""}}))) == 1

test_licences_that_are_denied if {
	count(denied("licences", with_licences(["AGPL-3.0-only"]))) == 1
	count(denied("licences", with_licences(["MIT", "MIT AND AGPL-3.0-only"]))) == 1
}

test_a_choice_of_licences if {
	count(denied("licences", with_licences(["MIT OR AGPL-3.0-only"]))) == 0
	count(denied("licences", with_licences(["MIT/Apache-2.0"]))) == 0
}

test_only_allowed_licences if {
	only := object.union(policy, {"licences": {"allowed": ["MIT"], "unknown": "deny"}})
	facts := with_licences(["ISC"])
	count(pipeline.licences.deny) == 1 with input as facts with data.policy as only
	unknown := with_licences([])
	count(pipeline.licences.deny) == 1 with input as unknown with data.policy as only
	count(pipeline.licences.deny) == 0 with input as good with data.policy as only
}

test_an_old_base_image if {
	base := {"name": "debian", "digest": "", "created": null, "age_days": 91}
	count(denied("base_image", with_image({"base": base}))) == 1
	count(denied("base_image", with_image({"base": object.union(base, {"age_days": 90})}))) == 0
}

test_a_base_image_of_unknown_age_is_skipped if {
	base := {"name": "debian", "digest": "", "created": null, "age_days": null}
	some each in pipeline.base_image.warn with input as with_image({"base": base})
	each.outcome == "skipped"
}

test_files_that_no_package_explains if {
	every kind in ["unexplained", "changed", "unbacked"] {
		facts := with_platform({"sbom": {kind: ["/usr/bin/stray"]}})
		count(denied("sbom", facts)) == 1
	}
}

test_without_an_sbom_rules_are_skipped if {
	facts := with_platform({"sbom": null})
	every name in ["sbom", "licences"] {
		count(denied(name, facts)) == 0
		some each in pipeline[name].warn with input as facts
		each.outcome == "skipped"
	}
}

test_unsigned_images if {
	unsigned := {"signature": {"verified": false, "by": "", "why": "unsigned"}}
	facts := with_platform(unsigned)
	count(denied("signatures", facts)) == 1
	count(denied("signatures", with_image(unsigned))) == 1
	optional := object.union(policy, {"signatures": "optional"})
	count(pipeline.signatures.deny) == 0 with input as facts with data.policy as optional
}

test_missing_attestations if {
	facts := with_image({"platforms": [object.union(
		object.remove(platform, ["attestations"]),
		{"attestations": {}},
	)]})
	count(denied("attestations", facts)) == 1
	unverified := {"sbom": {"verified": false, "by": "", "why": "another key"}}
	count(denied("attestations", with_platform({"attestations": unverified}))) == 1
}

test_before_publication_signatures_are_skipped if {
	every name, field in {"signatures": "signature", "attestations": "attestations"} {
		facts := with_platform({field: null})
		count(denied(name, facts)) == 0
		some each in pipeline[name].warn with input as facts with data.policy as policy
		each.outcome == "skipped"
	}
}
