"""What is published is signed and attested: plain cosign and `verify` trust it, nothing else."""

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.conftest import dagger_call
from tests.engine.conftest import Registry
from tests.engine.key_pairs import KeyPair, key_pair
from tests.engine.signing import Shelf, cosign
from tests.engine.test_failures import repository
from tests.module import call, made, pipeline, refusal, secret

pytestmark = pytest.mark.usefixtures("engine", "scanners")
Told = dict[tuple[str, str, str], str]
TAG = "0.0.0-dev"
# New in every run: what refers to an image stays in the registry.
FOLDER = f"signed-{uuid.uuid4()}"
# There is no scan, which would need the databases that the repository doesn't name.
POLICY = "attestations: [sbom, provenance]\n"
SIGNING = "transparency_log: never\n"
KINDS = ["cyclonedx", "spdxjson", "slsaprovenance1"]


def shop(folder: Path, name: str = "shop") -> Path:
    source = repository(folder, name)
    (source / "config/policy").mkdir(parents=True)
    (source / "config/policy/policy.yml").write_text(POLICY)
    (source / "config/signing.yml").write_text(SIGNING)
    return source


async def publish(source: Path, place: str, sign: bool = True, **signing: Any) -> str:
    main = pipeline(source, registry=place, registry_plain_http=True, **signing)
    return await main.build_all(push=True, scan=False, sign=sign)


async def verify(source: Path, reference: str, **trusted: Any) -> str:
    images = made(pipeline(source, registry_plain_http=True).images, image=reference)
    return await call(images.verify, rescan=False, **trusted)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("shop"))


@dataclass(frozen=True)
class Signed(Shelf):
    """A repository with a signed image: the digest of its index, and what the run said."""

    index: str
    report: str


@pytest.fixture(scope="module")
async def published(source: Path, keys: KeyPair, registry: Registry) -> Signed:
    report = await publish(source, f"{registry.address}/{FOLDER}", **keys.signing())
    shelf = Shelf(registry, f"{FOLDER}/shop")
    return Signed(registry, f"{FOLDER}/shop", shelf.digest(TAG), report)


@pytest.fixture
def signed(published: Signed) -> Iterator[Signed]:
    """The signed image, as it was again afterwards."""
    kept = {tag: published.raw(tag) for tag in published.tags()}
    yield published
    for tag, (content, media_type) in kept.items():
        published.put_raw(content, media_type, tag)


@pytest.fixture(scope="module")
async def stranger(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Signed:
    """An image that nobody signed."""
    source = shop(tmp_path_factory.mktemp("stranger"), "stranger")
    (source / "services/stranger/file").write_text("another file")
    report = await publish(source, f"{registry.address}/{FOLDER}", sign=False)
    shelf = Shelf(registry, f"{FOLDER}/stranger")
    return Signed(registry, f"{FOLDER}/stranger", shelf.digest(TAG), report)


async def not_trusted(source: Path, reference: str, keys: KeyPair) -> str:
    return await refusal(verify(source, reference, public_key=keys.trusted()))


def test_the_report_says_who_signed_and_what_was_left_out(
    published: Signed, stranger: Signed
) -> None:
    assert "Signed with a private key; attested to each image: SBOM" in published.report
    assert "Not scanned (--scan=false)." in published.report
    assert "Not signed (--sign=false)." in stranger.report


@pytest.fixture(scope="module")
async def told(published: Signed, keys: KeyPair, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What plain cosign prints: by digest, what is attested (nothing: the signature), format."""
    root = tmp_path_factory.mktemp("root") / "trusted_root.json"
    await cosign("trusted-root", "create", "--out", root)
    formats = {"bundle": ["--trusted-root", root], "older": ["--new-bundle-format=false"]}
    verbs = {kind: ["verify-attestation", f"--type={kind}"] for kind in KINDS}
    platforms = published.platforms(published.index)
    wanted = [*product((published.index, *platforms), [""]), *product(platforms, KINDS)]
    found = {}

    async def tell(digest: str, kind: str, format_: str) -> None:
        verb = verbs.get(kind, ["verify"])
        own = ["--key", keys.public, "--insecure-ignore-tlog", *formats[format_]]
        found[digest, kind, format_] = await cosign(*verb, *own, published.at(digest))

    async with anyio.create_task_group() as group:
        for (digest, kind), format_ in product(wanted, formats):
            group.start_soon(tell, digest, kind, format_)
    return found


def statement_in(output: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        base64.b64decode(json.loads(output.splitlines()[-1])["payload"])
    )
    return found


def test_plain_cosign_verifies_index_and_platforms_in_both_formats(
    told: Told,
) -> None:
    signatures = {key: output for key, output in told.items() if not key[1]}
    assert len(signatures) == 3 * 2
    for (digest, _, _), output in signatures.items():
        assert digest in output


def test_plain_cosign_verifies_each_attestation_in_both_formats(
    told: Told,
) -> None:
    attestations = {key: output for key, output in told.items() if key[1]}
    assert len(attestations) == 2 * len(KINDS) * 2
    for (digest, _, _), output in attestations.items():
        subject = statement_in(output)["subject"][0]
        assert subject["digest"] == {"sha256": digest.removeprefix("sha256:")}


def test_provenance_tells_of_the_tools_by_digest(published: Signed, told: Told) -> None:
    [digest, _] = published.platforms(published.index)
    predicate = statement_in(told[digest, "slsaprovenance1", "bundle"])["predicate"]
    tools = predicate["buildDefinition"]["resolvedDependencies"]
    assert all(len(tool["digest"]["sha256"]) == 64 for tool in tools)
    assert any("rust" in tool["uri"] for tool in tools)


def typed(reference: str, keys: KeyPair) -> list[str]:
    """The arguments of `dagger call` with which a person verifies."""
    verify = ["verify", "--rescan=false", f"--public-key=file://{keys.public}"]
    return ["--registry-plain-http", "images", f"--image={reference}", *verify]


def test_verify_believes_it(source: Path, published: Signed, keys: KeyPair) -> None:
    called = dagger_call(*typed(published.at(TAG), keys), "--format=json", source=source)
    assert called.status == 0, called.progress[-3000:]
    rules = {rule["rule"]: rule["outcome"] for rule in json.loads(called.output)["rules"]}
    assert rules["signatures"] == rules["attestations"] == "pass"


async def test_a_key_of_the_repository_is_trusted(
    tmp_path: Path, published: Signed, keys: KeyPair
) -> None:
    source = shop(tmp_path)
    (source / "release.pub").write_bytes(keys.public.read_bytes())
    (source / "config/signing.yml").write_text(f"{SIGNING}keys: [release.pub]\n")
    assert await verify(source, published.at(TAG))


async def test_somebody_has_to_be_trusted(source: Path, published: Signed) -> None:
    message = await refusal(verify(source, published.at(TAG), identity="somebody"))
    assert "--issuer is missing" in message


def test_unsigned_is_refused(source: Path, stranger: Signed, keys: KeyPair) -> None:
    called = dagger_call(*typed(stranger.at(TAG), keys), source=source)
    assert called.status != 0
    assert called.output == ""
    assert "Traceback" not in called.progress
    assert f"{FOLDER}/stranger: it isn't signed" in called.message
    assert f"{FOLDER}/stranger linux/arm64: it isn't signed" in called.message


async def test_another_key_is_refused(source: Path, published: Signed, tmp_path: Path) -> None:
    message = await not_trusted(source, published.at(TAG), key_pair(tmp_path / "other"))
    assert f"{FOLDER}/shop: it is signed by somebody else" in message


@pytest.mark.parametrize("older", [False, True], ids=["bundle", "older"])
async def test_the_signature_of_another_digest_is_refused(
    source: Path, signed: Signed, stranger: Signed, keys: KeyPair, older: bool
) -> None:
    """Somebody says of their own image, kept beside ours, what we said of ours."""
    copied = _brought(stranger, signed, stranger.index)
    if older:
        signature = signed.manifest(f"{signed.index.replace(':', '-')}.sig")
        signed.put(signature, f"{copied['digest'].replace(':', '-')}.sig")
    else:
        forged = [
            signed.put({**manifest, "subject": copied})
            for manifest, _ in signed.bundles(signed.index)
        ]
        signed.refer(copied["digest"], forged)
    message = await not_trusted(source, signed.at(copied["digest"]), keys)
    assert f"{FOLDER}/shop: what is signed is another image" in message


async def test_a_platform_replaced_after_signing_is_refused(
    source: Path, signed: Signed, stranger: Signed, keys: KeyPair
) -> None:
    index = signed.manifest(signed.index)
    [_, other] = stranger.manifest(stranger.index)["manifests"]
    replaced = {**_brought(stranger, signed, other["digest"]), "platform": other["platform"]}
    index["manifests"] = [index["manifests"][0], replaced]
    signed.put(index, TAG)
    message = await not_trusted(source, signed.at(TAG), keys)
    assert f"{FOLDER}/shop: it isn't signed" in message
    assert f"{FOLDER}/shop linux/arm64: it isn't signed" in message
    assert f"{FOLDER}/shop linux/amd64" not in message.partition("signatures: fail")[2]


@pytest.mark.parametrize("change", ["of another image", "changed"])
async def test_an_sbom_of_another_image_or_a_changed_one_is_refused(
    source: Path, signed: Signed, keys: KeyPair, change: str
) -> None:
    [digest, other] = signed.platforms(signed.index)
    subject = next(
        entry for entry in signed.manifest(signed.index)["manifests"] if entry["digest"] == digest
    )
    kept = [each for each in signed.bundles(digest) if not _is_sbom(each[1])]
    sboms = [
        each
        for each in signed.bundles(other if change == "of another image" else digest)
        if _is_sbom(each[1])
    ]
    assert len(sboms) == 2
    descriptors = [signed.put(manifest) for manifest, _ in kept]
    for manifest, bundle in sboms:
        if change == "changed":
            statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
            statement["predicate"]["forged"] = True
            payload = base64.b64encode(json.dumps(statement).encode()).decode()
            bundle["dsseEnvelope"]["payload"] = payload
        blob = signed.put_blob(json.dumps(bundle).encode())
        layers = [{**manifest["layers"][0], **blob}]
        subject_only = {name: subject[name] for name in ("mediaType", "digest", "size")}
        descriptors.append(signed.put({**manifest, "layers": layers, "subject": subject_only}))
    signed.refer(digest, descriptors)
    message = await not_trusted(source, signed.at(TAG), keys)
    assert "linux/amd64: sbom: nobody who is trusted attested it" in message
    assert "linux/arm64: sbom" not in message
    assert "linux/amd64: provenance" not in message


async def test_an_expired_exemption_is_refused(
    tmp_path: Path, published: Signed, keys: KeyPair
) -> None:
    source = shop(tmp_path)
    (source / "config/waivers.yml").write_text(
        "waivers: []\nexemptions:\n  - rule: licences\n    subject: pkg:npm/a\n"
        "    reason: tried\n    owner: platform team\n    expires: 2026-01-31\n"
    )
    message = await not_trusted(source, published.at(TAG), keys)
    assert "config/waivers.yml:7" in message
    assert "expired after 2026-01-31" in message


async def test_twice_signed_is_signed_twice(source: Path, signed: Signed, keys: KeyPair) -> None:
    digests = (signed.index, *signed.platforms(signed.index))
    before = {digest: len(signed.referrers(digest)) for digest in digests}
    await publish(source, f"{signed.registry.address}/{FOLDER}", **keys.signing())
    assert signed.digest(TAG) == signed.index
    added = {digest: len(signed.referrers(digest)) - before[digest] for digest in digests}
    assert added == {digests[0]: 1, digests[1]: 1 + len(KINDS), digests[2]: 1 + len(KINDS)}


async def test_several_ways_to_sign_are_refused_before_anything_is_built(
    source: Path, registry: Registry
) -> None:
    ways = {"oidc_token": secret("a-token"), "signing_kms": "awskms:///alias/release"}
    message = await refusal(publish(source, f"{registry.address}/un{FOLDER}", **ways))
    assert "Both --signing-kms and --oidc-token are given. Choose:" in message
    assert "--sign=false" in message
    assert registry.get(f"un{FOLDER}/shop/tags/list").status_code == 404


async def test_a_wrong_password_moves_no_tag(
    source: Path, registry: Registry, keys: KeyPair
) -> None:
    wrong = keys.signing("a-wrong-password")
    message = await refusal(publish(source, f"{registry.address}/un{FOLDER}", **wrong))
    assert "wasn't signed, and no tag was moved to it" in message
    assert "a-wrong-password" not in message
    assert Shelf(registry, f"un{FOLDER}/shop").tags() == []


async def test_what_the_policy_refuses_is_not_published(
    tmp_path: Path, registry: Registry, keys: KeyPair
) -> None:
    source = shop(tmp_path, "judged")
    policy = source / "config/policy/policy.yml"
    policy.write_text(f"{POLICY}labels: [com.acme.team]\n")
    place = f"{registry.address}/un{FOLDER}"
    message = await refusal(publish(source, place, **keys.signing()))
    assert "judged linux/amd64 lacks com.acme.team" in message
    assert registry.get(f"un{FOLDER}/judged/tags/list").status_code == 404


def _is_sbom(bundle: dict[str, Any]) -> bool:
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    return statement["predicateType"] in {
        "https://cyclonedx.org/bom",
        "https://spdx.dev/Document",
    }


def _brought(shelf: Shelf, other: Shelf, digest: str) -> dict[str, Any]:
    """Bring an image with all that belongs to it into another repository."""
    manifest = shelf.manifest(digest)
    for entry in manifest.get("manifests", []):
        _brought(shelf, other, entry["digest"])
    for blob in [manifest.get("config"), *manifest.get("layers", [])]:
        if blob is not None:
            other.put_blob(shelf.registry.blob(shelf.repository, blob["digest"]))
    return other.put_raw(*shelf.raw(digest))
