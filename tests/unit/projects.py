"""Compose projects of the worked example."""

from typing import Any

from pipeline.build.cargo import RustSources, Workspace
from pipeline.catalogue.catalogue import load_images, load_services
from pipeline.catalogue.models import Images
from pipeline.catalogue.stack import load_stack
from pipeline.deploy.compose.compose import Deployed, compose_project
from pipeline.deploy.compose.reload import is_reloaded, with_reload
from pipeline.deploy.generated import managed
from tests.unit.configs import ROOT, example, read

IMAGES: Images = load_images((ROOT / "config/images.yml").read_text(), None)


def deployed(environment: str = "development") -> Deployed:
    """The worked example as an environment deploys it, of images that are nowhere."""
    entries = load_services(read("services/*/service.yml"))
    names = [entry.service.name for entry in entries]
    stack = load_stack((ROOT / "config/stack.yml").read_text(), names)
    configuration = example().one(environment)
    images = {name: f"ghcr.io/acme/{name}@sha256:{'0' * 64}" for name in names}
    return Deployed(configuration, managed(stack, configuration), entries, images)


def project(environment: str = "development") -> dict[str, Any]:
    """The project of an environment."""
    return compose_project(deployed(environment), "shop", IMAGES.prometheus)


def reloaded() -> dict[str, Any]:
    """The project of development with services that run out of their sources."""
    whole = deployed()
    kept = {
        entry.service.name: whole.images[entry.service.name]
        for entry in whole.entries
        if not is_reloaded(entry.service)
    }
    own = Deployed(whole.configuration, whole.stack, whole.entries, kept)
    folder = ROOT / "services"
    manifests = {
        str(path.relative_to(folder)): path.read_text() for path in folder.glob("*/Cargo.toml")
    }
    manifests["Cargo.toml"] = (folder / "Cargo.toml").read_text()
    rust = [str(path.relative_to(folder)) for path in folder.glob("*/src/**/*.rs")]
    workspace = Workspace(manifests, rust)
    sources = {
        entry.service.name: RustSources.of(entry.directory, "services", workspace, {})
        for entry in whole.entries
        if entry.service.kind == "rust"
    }
    return with_reload(compose_project(own, "shop", IMAGES.prometheus), own, IMAGES, sources)
