# METADATA
# title: No misconfiguration that policy.yml makes block
package pipeline.misconfigurations

deny contains {"msg": msg, "subject": finding.ids[0]} if {
	some finding in input.findings
	finding.kind == "misconfiguration"
	finding.result == "fail"
	msg := sprintf("%s in %s: %s: %s", [finding.ids[0], about(finding), finding.why, finding.title])
}

warn contains {"msg": msg, "outcome": "waived"} if {
	some finding in input.findings
	finding.kind == "misconfiguration"
	finding.result == "waived"
	msg := sprintf("%s in %s %s", [finding.ids[0], about(finding), finding.why])
}

warn contains {"msg": "nothing was scanned", "outcome": "skipped"} if is_null(input.findings)

about(finding) := finding.package if finding.package != ""

about(finding) := finding.places[0].path if finding.package == ""
