"""Signing without a key, as in GitHub Actions, with a real Fulcio and timestamp authority."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import dagger_call
from tests.engine.conftest import Registry
from tests.engine.signing import Shelf
from tests.engine.sigstore import REQUEST_TOKEN, WORKFLOW, OwnSigstore, own_sigstore
from tests.engine.test_failures import refused
from tests.engine.test_sign import FOLDER, TAG, WITHOUT_SCAN, shop

SIGNING = """\
transparency_log: never
identities:
  - issuer: {issuer}
    subject_pattern: https://github.com/acme/shop/\\.github/workflows/.*@refs/heads/main
sigstore:
  fulcio: {fulcio}
  timestamp_authority: {timestamps}
  certificate_log: false
  trusted_root: config/trusted_root.json
"""


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSigstore]:
    with own_sigstore(tmp_path_factory.mktemp("sigstore")) as running:
        yield running


def trusting(folder: Path, sigstore: OwnSigstore) -> Path:
    source = shop(folder, "keyless")
    (source / "config/trusted_root.json").write_text(sigstore.trusted_root.read_text())
    (source / "config/signing.yml").write_text(
        SIGNING.format(
            issuer=sigstore.issuer,
            fulcio=sigstore.fulcio,
            timestamps=sigstore.timestamps,
        )
    )
    return source


def test_a_workflow_signs_and_is_believed(
    tmp_path: Path, sigstore: OwnSigstore, registry: Registry
) -> None:
    source = trusting(tmp_path, sigstore)
    called = dagger_call(
        *("build-all", "--push", *WITHOUT_SCAN, f"--registry={registry.address}/{FOLDER}"),
        *("--oidc-token=env://TOKEN", "--oidc-url=env://URL"),
        source=source,
        environment={"TOKEN": REQUEST_TOKEN, "URL": f"{sigstore.issuer}/token?v=1"},
    )
    assert called.status == 0, called.progress[-3000:]
    assert "Signed as this workflow" in called.output
    shelf = Shelf(registry, f"{FOLDER}/keyless")
    verify = ["verify", f"--image={shelf.at(TAG)}", *WITHOUT_SCAN]
    believed = dagger_call(*verify, source=source)
    assert believed.status == 0, believed.progress[-3000:]
    signing = source / "config/signing.yml"
    signing.write_text(signing.read_text().replace("acme/shop", "acme/other"))
    message = refused(*verify, source=source)
    assert "it is signed by somebody who isn't believed" in message
    assert f"https://github.com/{WORKFLOW}" in message
    exactly = [f"--subject=https://github.com/{WORKFLOW}", f"--issuer={sigstore.issuer}"]
    assert dagger_call(*verify, *exactly, source=source).status == 0


def test_who_may_not_ask_for_a_token_signs_nothing(
    tmp_path: Path, sigstore: OwnSigstore, registry: Registry
) -> None:
    message = refused(
        *("build-all", "--push", *WITHOUT_SCAN, f"--registry={registry.address}/un{FOLDER}"),
        *("--oidc-token=env://TOKEN", "--oidc-url=env://URL"),
        source=trusting(tmp_path, sigstore),
        TOKEN="another-token",
        URL=f"{sigstore.issuer}/token?v=1",
    )
    assert "wasn't signed, and no tag was moved to it" in message
    assert "another-token" not in message
    assert Shelf(registry, f"un{FOLDER}/keyless").tags() == []
