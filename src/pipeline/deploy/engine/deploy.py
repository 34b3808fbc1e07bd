"""Deploys an environment: what is checked before anything changes, and then by what it says."""

from collections.abc import Sequence
from dataclasses import dataclass

import dagger

from pipeline.catalogue.repository import Repository
from pipeline.config.engine.encrypted import EncryptedSecrets
from pipeline.config.resolve import Configuration
from pipeline.deploy.compose.engine.project import deploy_by_compose
from pipeline.deploy.contents import (
    KUBERNETES,
    Contents,
    MissingTargetError,
    setting_of,
)
from pipeline.deploy.kubernetes.deployer import ChangeReason
from pipeline.deploy.kubernetes.engine.reach import deployer_of, values_of
from pipeline.deploy.kubernetes.kubeconfig import checked_kubeconfig
from pipeline.errors import InapplicableFlagError
from pipeline.registry.engine.access import Access
from pipeline.registry.engine.account import RegistryAccount
from pipeline.registry.reference import by_digest
from pipeline.release.engine.published import published_references
from pipeline.release.engine.verify import Signatory, verify_images
from pipeline.report.deployment import DeploymentSummary
from pipeline.security.engine.criteria import Criteria
from pipeline.version.engine.git import head_commit
from pipeline.version.release import release_of


@dataclass(frozen=True)
class ConfiguredEnvironment:
    """An environment with all that it is deployed from."""

    source: dagger.Directory
    repository: Repository
    configuration: Configuration
    encrypted: EncryptedSecrets
    account: RegistryAccount
    databases: dagger.Directory | None

    async def contents(
        self, version: str | None, without: Sequence[str] = ()
    ) -> tuple[Contents, Access]:
        """Find a version's images in the registry, and say how it is reached."""
        repository = self.repository
        address = self.account.address_or(repository.registry)
        access = self.account.access(address, repository.registry)
        release = release_of(await head_commit(self.source, repository.images.git))
        names = [name for name in repository.stack.services if name not in without]
        tag = version or release.tags[0]
        found = await published_references(names, address, tag, access, repository.images)
        # Without the tag: what didn't change from one version to the next need not start anew.
        images = {name: by_digest(reference) for name, reference in found.items()}
        return Contents(version or release.version, release.revision, images), access


Destination = dagger.Secret | dagger.Socket
"""A cluster by its kubeconfig, or a Docker daemon by its socket."""


def destination_of(
    configuration: Configuration,
    kubeconfig: dagger.Secret | None,
    docker_socket: dagger.Socket | None,
    reason: ChangeReason,
) -> Destination:
    """Say what the command line leads to. Raises MissingTargetError, InapplicableFlagError."""
    environment, target = configuration.environment, str(setting_of(configuration, "target"))
    deployed = f"and {environment} is deployed by {target}"
    if target == KUBERNETES:
        if docker_socket is not None:
            raise InapplicableFlagError("--docker-socket", f"Compose, {deployed}")
        if kubeconfig is None:
            raise MissingTargetError(configuration, target)
        return kubeconfig
    if kubeconfig is not None:
        raise InapplicableFlagError("--kubeconfig", f"Kubernetes, {deployed}")
    if docker_socket is None:
        raise MissingTargetError(configuration, target)
    if reason.reason:
        raise InapplicableFlagError("--reason", "the audit trail, and Compose keeps none")
    return docker_socket


async def deploy(
    environment: ConfiguredEnvironment,
    destination: Destination,
    version: str | None,
    signatory: Signatory,
    reason: ChangeReason,
) -> DeploymentSummary:
    """Verify a version and bring it up: it is healthy, or all is as it was before.

    Raises what is wrong, before any expensive work as far as it can be.
    """
    repository, configuration = environment.repository, environment.configuration
    if signatory.is_named and not setting_of(configuration, "verify"):
        raise InapplicableFlagError(
            "--public-key or --identity",
            f"verification, and deployment.verify of {configuration.environment} is false",
        )
    environment.encrypted.need_key(configuration)
    if isinstance(destination, dagger.Secret):
        checked_kubeconfig(await destination.plaintext())
    contents, access = await environment.contents(version)
    verified = await _verify(environment, contents, access, signatory)
    secrets = await environment.encrypted.of_services(configuration)
    if isinstance(destination, dagger.Secret):
        deployer = await deployer_of(repository, configuration, destination)
        values = values_of(repository, configuration, contents, secrets)
        summary = await deployer.deploy(values, contents, reason)
    else:
        summary = await deploy_by_compose(
            repository, configuration, contents, secrets, destination, access
        )
    return summary.model_copy(update={"said": [verified, *summary.said]})


async def _verify(
    environment: ConfiguredEnvironment,
    contents: Contents,
    access: Access,
    signatory: Signatory,
) -> str:
    """Verify images, unless the environment asks for none of it; says in a line what was done."""
    configuration = environment.configuration
    if not setting_of(configuration, "verify"):
        return f"Not verified: deployment.verify of {configuration.environment} is false."
    criteria = await Criteria.of(
        environment.repository,
        access,
        scans=bool(setting_of(configuration, "scan")),
        databases=environment.databases,
    )
    references = list(contents.images.values())
    verdict = await verify_images(references, [], environment.source, access, signatory, criteria)
    verdict.check()
    return f"Verified: signatures, attestations and policy of {len(references)} images."
