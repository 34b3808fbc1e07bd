"""What scanners say of an image with known faults, and short ways to make findings."""

from pathlib import Path

from pipeline.report.findings import ScannedImage
from pipeline.security.finding import Assessment, Finding, Kind, Location, Severity
from pipeline.security.grype import parse_grype
from pipeline.security.merge import merge
from pipeline.security.package import package_of
from pipeline.security.trivy import parse_trivy

DATA = Path(__file__).parent / "data"
TRIVY = (DATA / "trivy.json").read_text()
GRYPE = (DATA / "grype.json").read_text()
SCOUT = (DATA / "scout.sarif.json").read_text()
CANARY = "canary-never-to-be-shown"
AMD64 = ScannedImage(image="shop", platform="linux/amd64")
ARM64 = ScannedImage(image="shop", platform="linux/arm64")


def shop() -> list[Finding]:
    """Give all that both scanners find in both platforms of one image."""
    return merge(
        [
            finding
            for at in (AMD64, ARM64)
            for parse, report in ((parse_trivy, TRIVY), (parse_grype, GRYPE))
            for finding in parse(report, at.image, at.platform)
        ]
    )


def vulnerability(
    *ids: str,
    package: str = "pkg:deb/debian/a@1",
    severity: Severity = Severity.HIGH,
    fixed: tuple[str, ...] = ("2",),
    scanner: str = "trivy",
    platform: str = "linux/amd64",
) -> Finding:
    version = package.partition("?")[0].rpartition("@")[2]
    return Finding(
        kind=Kind.VULNERABILITY,
        ids=ids,
        package=package_of("a", version, package),
        assessments=(Assessment(scanner=scanner, severity=severity, fixed_versions=fixed),),
        places=(Location(image="shop", platform=platform),),
    )
