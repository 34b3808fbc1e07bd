"""What all tests of the chart run."""

import pytest

from tests.started import variables_of


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    """Helm, kubectl and kubeconform, made unless they are there."""
    variables_of("kubernetes")


@pytest.fixture(scope="session")
def scanners() -> None:
    """Trivy among them, made unless they are there."""
    variables_of("scanners")
