"""Environments of a small repository, for tests of what is done with them."""

from functools import cache
from pathlib import Path

from pipeline.catalogue.catalogue import ServiceEntry, load_services
from pipeline.catalogue.stack import load_stack
from pipeline.config.load import NO_OVERLAYS, Loaded, load
from pipeline.config.resolve import Overlays
from pipeline.config.sections import Sections, sections_of

ROOT = Path(__file__).parents[2]
SHOP = """\
name: shop
title: Shop
kind: dockerfile
port: 8080
size_limit: 5 MB
settings:
  timeout_ms: {type: integer, minimum: 1, maximum: 5000, default: 1000, unit: ms, description: Wait}
  threshold: {type: number, minimum: 0, maximum: 1, stricter: higher, description: Least score}
  greeting: {type: string, optional: true, description: What it says}
  origins: {type: list, optional: true, description: Who may ask}
  verbose: {type: boolean, default: false, description: Says more}
  mode: {type: string, choices: [fast, safe], default: safe, description: How it works}
  token: {type: string, sensitive: true, owner: me, variable: TOKEN, description: Opens the door}
"""
BASE = """\
partial: true
shop:
  threshold: 0.5
performance: {cpu_limit: "1.0", memory_limit: 512Mi, min_replicas: 1, max_replicas: 2}
deployment: {target: compose}
"""
SECRETS = """\
shop:
  token: ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]
sops:
  age:
    - recipient: age1me
      enc: x
  lastmodified: "2026-11-24T20:10:14Z"
  mac: ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]
"""


def shop(text: str = SHOP) -> list[ServiceEntry]:
    """Services of the small repository."""
    return load_services({"services/shop/service.yml": text})


@cache
def shop_sections(text: str = SHOP) -> Sections:
    """Sections of the small repository."""
    return sections_of(shop(text))


def loaded(
    files: dict[str, str],
    *,
    name: str | None = None,
    overlays: Overlays = NO_OVERLAYS,
    secrets: dict[str, str] | None = None,
    service: str = SHOP,
) -> Loaded:
    """Load environments by name, on BASE, each with its secrets."""
    texts = {
        f"config/environments/{key}.yml": text for key, text in ({"base": BASE} | files).items()
    }
    environments = [key for key in files if key != "base"]
    encrypted = dict.fromkeys(environments, SECRETS) if secrets is None else secrets
    paths = {f"config/secrets/{key}.yml": text for key, text in encrypted.items()}
    return load(shop_sections(service), texts, paths, name, overlays)


def read(pattern: str) -> dict[str, str]:
    """Read files of this repository: path → text."""
    return {str(path.relative_to(ROOT)): path.read_text() for path in ROOT.glob(pattern)}


def example_sections() -> Sections:
    """Sections of the worked example."""
    entries = load_services(read("services/*/service.yml"))
    names = [entry.service.name for entry in entries]
    return sections_of(entries, load_stack((ROOT / "config/stack.yml").read_text(), names).backing)


def example(name: str | None = None, overlays: Overlays = NO_OVERLAYS) -> Loaded:
    """The worked example's environments."""
    files, secrets = read("config/environments/*.yml"), read("config/secrets/*.yml")
    return load(example_sections(), files, secrets, name, overlays)
