"""The summary of a run that publishes: what was built, what was found out, who signed."""

from pipeline.report.findings import ScanSummary, conclusion
from pipeline.report.summary import BuildSummary
from pipeline.report.verdict import VerdictSummary, verdict_conclusion

SIGNED = (
    "Signed {by}; attested to each image: SBOM (CycloneDX, SPDX){scan} and provenance "
    "(SLSA Build L1)."
)


class PublicationSummary(BuildSummary):
    """What a run built, found out and published; without a scan or a signer it wasn't."""

    scan: ScanSummary | None
    verdict: VerdictSummary
    signer: str | None


def published_summary(
    build: BuildSummary, scan: ScanSummary | None, verdict: VerdictSummary, signer: str | None
) -> PublicationSummary:
    """Sum up a run that published."""
    scanned = conclusion(scan)[:-1] if scan else ["Not scanned (--scan=false)."]
    signed = (
        SIGNED.format(by=signer, scan=", scan" if scan else "")
        if signer
        else "Not signed (--sign=false)."
    )
    remarks = [*scanned, verdict_conclusion(verdict)[0], signed]
    return PublicationSummary(
        **build.model_dump(),
        remarks=remarks,
        scan=scan,
        verdict=verdict,
        signer=signer,
    )
