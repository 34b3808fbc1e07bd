"""An environment on the command line: its configuration, and where and how it is deployed."""

import uuid
from collections.abc import Mapping
from typing import Annotated

import dagger
from dagger import Doc, Name, dag

from pipeline.audit.report import render_audit
from pipeline.catalogue.engine.source import read_repository
from pipeline.catalogue.repository import Repository
from pipeline.config.convert import ConfigFormat, converted
from pipeline.config.engine.encrypted import EncryptedSecrets
from pipeline.config.environment_file import environment_file
from pipeline.config.load import Loaded, load_environments, sections_in
from pipeline.config.resolve import Overlays
from pipeline.config.schema import schema
from pipeline.config.summary import explanation, summarised
from pipeline.config.variables import Variables
from pipeline.deploy.compose.engine.project import (
    project_of,
    reloaded_project_of,
    variables_of_project,
)
from pipeline.deploy.compose.reload import reloaded_services
from pipeline.deploy.contents import need_kubernetes
from pipeline.deploy.engine.deploy import ConfiguredEnvironment, deploy, destination_of
from pipeline.deploy.engine.stack import run_stack
from pipeline.deploy.kubernetes.deployer import ChangeReason, Deployer
from pipeline.deploy.kubernetes.engine.reach import deployer_of, render_manifests, values_of
from pipeline.deploy.kubernetes.values import Secrets as OpenedSecrets
from pipeline.engine import flags
from pipeline.engine.files import file_of
from pipeline.engine.objects import function, object_type
from pipeline.environment_secrets import Secrets
from pipeline.errors import InapplicableFlagError
from pipeline.registry.engine.account import RegistryAccount
from pipeline.release.engine.verify import Signatory
from pipeline.report.config import explained, render_config
from pipeline.report.deployment import render_deployment
from pipeline.report.html import config_page
from pipeline.report.plan import render_plan
from pipeline.report.render import Format

dagger.enum_type(ConfigFormat)


@object_type
class Environment:
    """An environment: its configuration and secrets, where and how it is deployed."""

    source: dagger.Directory
    account: RegistryAccount
    databases: dagger.Directory | None
    name: str | None
    settings: list[str]
    variables: dagger.File | None
    secrets_key: dagger.Secret | None
    origin: str

    @function
    async def validate(self) -> str:
        """Check all environments' files, and name every mistake with its place."""
        loaded, _ = await self._loaded()
        names = loaded.environments.names
        settings = sum(len(section.settings) for section in loaded.sections.values())
        services = sum(bool(section.service) for section in loaded.sections.values())
        return f"{', '.join(names)}: {settings} settings of {services} services, all right.\n"

    @function
    async def explain(self) -> str:
        """List each value, and the file, variable or flag that it is from."""
        loaded, _ = await self._loaded()
        configuration = loaded.one(self.name)
        return explained(explanation(configuration, loaded.secrets.get(configuration.environment)))

    @function
    async def convert(
        self,
        to: Annotated[ConfigFormat, Doc("Who is to read it")],
        services: flags.Services = None,
    ) -> str:
        """Write the values in a format; sensitive ones are left out by name."""
        loaded, _ = await self._loaded()
        return converted(loaded.one(self.name), to, services or [])

    @function
    async def diff(
        self,
        with_: Annotated[str, Name("with"), Doc("The other environment")],
        format_: flags.Format = Format.TABLE,
    ) -> str:
        """List what differs between the configuration of this environment and another one."""
        loaded, _ = await self._loaded()
        both = [loaded.one(self.name), loaded.one(with_)]
        return render_config(summarised(both, loaded.secrets, differences_only=True), format_)

    @function
    async def report(self, format_: flags.Format = Format.TABLE) -> str:
        """Set all environments side by side; secrets by name, owner, age and recipients."""
        loaded, _ = await self._loaded()
        everything = list(loaded.configurations.values())
        return render_config(summarised(everything, loaded.secrets), format_)

    @function
    async def html(self) -> dagger.File:
        """Set all environments side by side, on one page that needs nothing else."""
        loaded, _ = await self._loaded()
        summary = summarised(list(loaded.configurations.values()), loaded.secrets)
        return file_of("config.html", config_page(summary, "Configuration"))

    @function
    async def schema(self) -> dagger.File:
        """Write the JSON Schema of this repository's environments, for editors."""
        repository = await read_repository(self.source)
        return file_of("environment.schema.json", schema(sections_in(repository)))

    @function
    def secrets(self) -> Secrets:
        """Look after its secrets: decrypt, set, encrypt, rotate, recipients."""
        if self.settings or self.variables is not None:
            raise InapplicableFlagError("--set or --variables", "what is on top of the files")
        return Secrets(source=self.source, name=self.name, key=self.secrets_key)

    @function(cache="never")
    async def stack(self) -> dagger.Service:
        """Run all services and what they stand on; `stack up` opens the entry on this machine.

        Without a name they run with the settings that stack.yml gives them, and no others.
        """
        self._check_flags()
        repository = await read_repository(self.source)
        settings: Mapping[str, Variables] = {}
        if self.name is not None:
            configured = await self._configured(repository)
            settings = await configured.encrypted.variables(configured.configuration)
        return await run_stack(self.source, repository, settings)

    @function(cache="never")
    async def manifests(self, version: flags.Version = None) -> dagger.File:
        """Render all its Kubernetes objects; its secrets only with their key."""
        configured = await self._configured()
        contents, _ = await configured.contents(version)
        text = await render_manifests(
            configured.repository,
            configured.configuration,
            contents,
            await self._opened(configured),
        )
        return file_of(f"{self.name}.yml", text)

    @function(cache="never")
    async def compose(
        self,
        version: flags.Version = None,
        reload: Annotated[bool, Doc("Services out of their sources, kept in step by --watch")] = (
            False
        ),
    ) -> dagger.File:
        """Write its whole stack as a Compose project, without any secret."""
        configured = await self._configured()
        repository, configuration = configured.repository, configured.configuration
        if not reload:
            contents, _ = await configured.contents(version)
            return file_of("compose.yml", project_of(repository, configuration, contents).text)
        contents, _ = await configured.contents(version, without=reloaded_services(repository))
        project = await reloaded_project_of(self.source, repository, configuration, contents)
        return file_of("compose.yml", project.text)

    @function(cache="never")
    async def compose_variables(self) -> dagger.Secret:
        """Decrypt the secrets that Compose puts in: `compose-variables plaintext >> .env`."""
        configured = await self._configured()
        configured.encrypted.need_key(configured.configuration)
        secrets = await configured.encrypted.of_services(configured.configuration)
        variables = variables_of_project(configured.repository, configured.configuration, secrets)
        return dag.set_secret(f"compose-{uuid.uuid4()}", environment_file(variables))

    @function(cache="never")
    async def plan(
        self,
        kubeconfig: flags.Kubeconfig,
        version: flags.Version = None,
        format_: flags.Format = Format.TABLE,
    ) -> str:
        """List what `deploy` would change in the cluster."""
        configured = await self._configured()
        deployer = await self._deployer(configured, kubeconfig)
        contents, _ = await configured.contents(version)
        secrets = await self._opened(configured)
        values = values_of(configured.repository, configured.configuration, contents, secrets)
        return render_plan(await deployer.plan(values), format_)

    @function(cache="never")
    async def deploy(
        self,
        kubeconfig: flags.KubeconfigOrNone,
        public_key: flags.PublicKey,
        docker_socket: flags.DockerSocket = None,
        version: flags.Version = None,
        identity: flags.Identity = None,
        issuer: flags.Issuer = None,
        reason: flags.Reason = "",
        format_: flags.Format = Format.TABLE,
    ) -> str:
        """Verify a version and deploy it: it is healthy, or all is as it was before."""
        signatory = Signatory.of(public_key, identity, issuer)
        why = ChangeReason(reason, self.origin)
        configured = await self._configured()
        destination = destination_of(configured.configuration, kubeconfig, docker_socket, why)
        summary = await deploy(configured, destination, version, signatory, why)
        return render_deployment(summary, format_)

    @function(cache="never")
    async def status(
        self, kubeconfig: flags.Kubeconfig, format_: flags.Format = Format.TABLE
    ) -> str:
        """Say what is deployed, whether it is healthy, and whether a change was interrupted."""
        deployer = await self._deployer(await self._configured(), kubeconfig)
        return render_deployment(await deployer.status(), format_)

    @function(cache="never")
    async def rollback(
        self,
        kubeconfig: flags.Kubeconfig,
        reason: flags.Reason = "",
        format_: flags.Format = Format.TABLE,
    ) -> str:
        """Go back, whole: from an interrupted change, else to the healthy version before."""
        deployer = await self._deployer(await self._configured(), kubeconfig)
        return render_deployment(
            await deployer.rollback(ChangeReason(reason, self.origin)), format_
        )

    @function(cache="never")
    async def resume(
        self,
        kubeconfig: flags.Kubeconfig,
        reason: flags.Reason = "",
        format_: flags.Format = Format.TABLE,
    ) -> str:
        """Finish a change that was interrupted."""
        deployer = await self._deployer(await self._configured(), kubeconfig)
        return render_deployment(await deployer.resume(ChangeReason(reason, self.origin)), format_)

    @function(cache="never")
    async def audit(
        self, kubeconfig: flags.Kubeconfig, format_: flags.Format = Format.TABLE
    ) -> str:
        """List who changed what, when and why; fail when a record was changed or is missing."""
        deployer = await self._deployer(await self._configured(), kubeconfig)
        return render_audit(await deployer.audit(), format_)

    async def _loaded(self, repository: Repository | None = None) -> tuple[Loaded, Repository]:
        """Read and check everything. Raises InvalidFilesError with every mistake."""
        self._check_flags()
        repository = repository or await read_repository(self.source)
        variables = await self.variables.contents() if self.variables else ""
        overlays = Overlays(variables, self.settings)
        return load_environments(repository, self.name, overlays), repository

    def _check_flags(self) -> None:
        if self.name is None and (self.settings or self.variables is not None):
            raise InapplicableFlagError("--set or --variables", "one environment: add --name")

    async def _configured(self, repository: Repository | None = None) -> ConfiguredEnvironment:
        loaded, repository = await self._loaded(repository)
        return ConfiguredEnvironment(
            source=self.source,
            repository=repository,
            configuration=loaded.one(self.name),
            encrypted=EncryptedSecrets(repository, self.secrets_key),
            account=self.account,
            databases=self.databases,
        )

    async def _opened(self, configured: ConfiguredEnvironment) -> OpenedSecrets | None:
        """Decrypt what each service reads, with a key only."""
        if self.secrets_key is None:
            return None
        return await configured.encrypted.of_services(configured.configuration)

    async def _deployer(
        self, configured: ConfiguredEnvironment, kubeconfig: dagger.Secret
    ) -> Deployer:
        need_kubernetes(configured.configuration)
        return await deployer_of(configured.repository, configured.configuration, kubeconfig)
