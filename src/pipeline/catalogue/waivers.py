"""What a repository accepts for a time: config/waivers.yml."""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from pipeline import documents
from pipeline.catalogue.models import Strict
from pipeline.documents import Document
from pipeline.errors import InvalidFilesError

WAIVERS_FILE = "config/waivers.yml"


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


Text = Annotated[str, AfterValidator(_not_blank), Field(min_length=1)]


class Waiver(Strict):
    """One finding that doesn't block, until a day that somebody answers for."""

    id: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$",
        description="Any of the finding's names: CVE-…, GHSA-…, or the rule of a secret.",
    )
    package: str = Field(
        pattern=r"^(pkg:[A-Za-z0-9.+-]+/[^?#\s]+|[^:\s][^:]*)$",
        description="Package URL without qualifiers; without a version it is for all versions: "
        "pkg:deb/debian/libssl3. Of a secret or misconfiguration: the path of the file; of an "
        "image's own configuration <image>/config.json.",
    )
    reason: Text = Field(description="Why this is acceptable, for those who ask later.")
    owner: Text = Field(description="Who answers for it.")
    expires: date = Field(description="Last day on which it counts.")
    justification: (
        Literal[
            "component_not_present",
            "vulnerable_code_not_present",
            "vulnerable_code_not_in_execute_path",
            "vulnerable_code_cannot_be_controlled_by_adversary",
            "inline_mitigations_already_exist",
        ]
        | None
    ) = Field(
        default=None,
        description="Only where the image isn't affected: why not, in OpenVEX's words.",
    )


class Exemption(Strict):
    """One thing that a rule of the policy doesn't fail for, until a day."""

    rule: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$", description="Name of the rule, as the verdict lists it."
    )
    subject: Text = Field(
        description="Of what, as the verdict names it: a service, or a package URL."
    )
    reason: Text = Field(description="Why this is acceptable, for those who ask later.")
    owner: Text = Field(description="Who answers for it.")
    expires: date = Field(description="Last day on which it counts.")


class Waivers(Strict):
    """All that a repository accepts for a time: findings, and what rules say of images."""

    waivers: list[Waiver] = Field(default=[])
    exemptions: list[Exemption] = Field(default=[])


WAIVERS: TypeAdapter[Waivers] = TypeAdapter(Waivers)


@dataclass(frozen=True)
class WaiversFile:
    """The waivers, and the document that knows their lines."""

    document: Document
    waivers: list[Waiver]
    exemptions: list[Exemption] = field(default_factory=list)


def load_waivers(text: str | None) -> WaiversFile:
    """Read the waivers; none without a file. Raises InvalidFilesError with every mistake."""
    if text is None:
        return WaiversFile(documents.unplaced(WAIVERS_FILE, {}), [])
    document = documents.parse(WAIVERS_FILE, text)
    known = [*Waivers.model_fields, *Waiver.model_fields, *Exemption.model_fields]
    content = documents.validate(document, WAIVERS, known)
    waivers = content.waivers
    first_with: dict[tuple[str, str], int] = {}
    mistakes = []
    for index, waiver in enumerate(waivers):
        first = first_with.setdefault((waiver.id.upper(), waiver.package), index)
        if first != index:
            line = document.values["waivers", first].line
            mistakes.append(
                document.mistake(("waivers", index), f"is the same as the waiver at line {line}")
            )
    if mistakes:
        raise InvalidFilesError(mistakes)
    return WaiversFile(document, waivers, content.exemptions)
