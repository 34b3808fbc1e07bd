"""Signing without a key, as in GitHub Actions, with a real Fulcio and timestamp authority."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.conftest import Registry
from tests.engine.signing import Shelf
from tests.engine.sigstore import REQUEST_TOKEN, WORKFLOW, OwnSigstore, own_sigstore
from tests.engine.test_sign import FOLDER, TAG, publish, shop, verify
from tests.module import refusal, secret

pytestmark = pytest.mark.usefixtures("engine", "scanners")
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


async def test_a_workflow_signs_and_is_trusted(
    tmp_path: Path, sigstore: OwnSigstore, registry: Registry
) -> None:
    source = trusting(tmp_path, sigstore)
    report = await publish(
        source,
        f"{registry.address}/{FOLDER}",
        oidc_token=secret(REQUEST_TOKEN),
        oidc_url=secret(f"{sigstore.issuer}/token?v=1"),
    )
    assert "Signed as this workflow" in report
    image = Shelf(registry, f"{FOLDER}/keyless").at(TAG)
    assert await verify(source, image)
    signing = source / "config/signing.yml"
    signing.write_text(signing.read_text().replace("acme/shop", "acme/other"))
    message = await refusal(verify(source, image))
    assert "it is signed by somebody who isn't trusted" in message
    workflow = f"https://github.com/{WORKFLOW}"
    assert workflow in message
    assert await verify(source, image, identity=workflow, issuer=sigstore.issuer)


async def test_who_may_not_ask_for_a_token_signs_nothing(
    tmp_path: Path, sigstore: OwnSigstore, registry: Registry
) -> None:
    publishing = publish(
        trusting(tmp_path, sigstore),
        f"{registry.address}/un{FOLDER}",
        oidc_token=secret("another-token"),
        oidc_url=secret(f"{sigstore.issuer}/token?v=1"),
    )
    message = await refusal(publishing)
    assert "wasn't signed, and no tag was moved to it" in message
    assert "another-token" not in message
    assert Shelf(registry, f"un{FOLDER}/keyless").tags() == []
