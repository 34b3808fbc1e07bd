"""Flags of the command line, each declared once: wherever one stands, it means this."""

from typing import Annotated

import dagger
from dagger import DefaultPath, Doc, Ignore, Name

from pipeline.report.render import Format as FormatChoice

NEVER_UPLOADED = [
    ".env",
    "**/node_modules",
    "**/target",
    "**/.venv",
    "**/__pycache__",
    "**/.*_cache",
]

# Of a whole run. Secrets and folders have no default of their own: only then Dagger takes the one
# of a .env file.
Source = Annotated[
    dagger.Directory,
    Doc("The repository: services/*/service.yml says what there is to build"),
    DefaultPath("/"),
    Ignore(NEVER_UPLOADED),
]
Registry = Annotated[
    str | None,
    Doc("Where images are published, e.g. ghcr.io/acme (default: config/registry.yml's address)"),
]
RegistryUsername = Annotated[str | None, Doc("User of the registry")]
RegistryPassword = Annotated[
    dagger.Secret | None, Doc("Password or token of the user, e.g. env://REGISTRY_PASSWORD")
]
RegistryPlainHttp = Annotated[bool, Doc("The registry has no TLS")]
SigningKey = Annotated[
    dagger.Secret | None, Doc("Private key to sign with, e.g. file://cosign.key")
]
SigningPassword = Annotated[
    dagger.Secret | None, Doc("The private key's password, e.g. env://COSIGN_PASSWORD")
]
SigningKms = Annotated[
    str | None, Doc("A key management service's key to sign with, e.g. awskms:///alias/release")
]
SigningEnvironment = Annotated[
    dagger.Secret | None, Doc("What the key management service's client needs: NAME=value lines")
]
OidcToken = Annotated[
    dagger.Secret | None,
    Doc("Identity token to sign with, or with --oidc-url GitHub's token to ask for one"),
]
OidcUrl = Annotated[
    dagger.Secret | None,
    Doc("Where GitHub gives identity tokens: env://ACTIONS_ID_TOKEN_REQUEST_URL"),
]
Origin = Annotated[str, Doc("From where, for the audit trail, e.g. the address of a CI run")]

# What a run is about, of all that there is.
Services = Annotated[list[str] | None, Doc("Only these services, by name (default: all)")]
Platforms = Annotated[
    list[str] | None, Doc("Only these platforms (default: linux/amd64,linux/arm64)")
]
Jobs = Annotated[int, Doc("How many images to build at a time")]
ServiceName = Annotated[str, Name("name"), Doc("Name, as in its service.yml")]
Platform = Annotated[str, Doc("linux/amd64 or linux/arm64")]

# Publishing.
Push = Annotated[bool, Doc("Publish what was built")]
Scan = Annotated[
    bool | None, Doc("Scan with Trivy and Grype, and judge (default: what is published)")
]
Sign = Annotated[bool, Doc("Sign, and attest SBOM, scan and provenance")]

# Images.
Image = Annotated[
    str | None, Doc("A published image (default: the repository's own, built as they are)")
]
WithoutFix = Annotated[bool, Doc("Vulnerabilities that nothing fixes yet block, too")]
Databases = Annotated[
    dagger.Directory | None,
    Doc(
        "Folder with Trivy's db.tar.gz and Grype's vulnerability-db_….tar.zst "
        "(default: of the places in config/scan.yml)"
    ),
]
ScoutAccount = Annotated[
    dagger.Secret | None, Doc("USER:PASSWORD of Docker Scout, a third scanner, e.g. env://SCOUT")
]
PublicKey = Annotated[
    dagger.Secret | None, Doc("Public key that is trusted, e.g. file://cosign.pub")
]
Identity = Annotated[
    str | None, Doc("Who is trusted that signs without a key, e.g. a workflow's address")
]
Issuer = Annotated[
    str | None, Doc("Who vouches for --identity, e.g. https://token.actions.githubusercontent.com")
]
Rescan = Annotated[bool, Doc("Scan it again, by what is known today")]

# Environments.
Environment = Annotated[
    str | None, Name("name"), Doc("Name of a file in config/environments, e.g. staging")
]
Settings = Annotated[
    list[str] | None, Name("set"), Doc("SECTION.SETTING=VALUE, on top of all else")
]
Variables = Annotated[
    dagger.File | None, Doc("NAME=VALUE lines, as env prints them, on top of the files")
]
SecretsKey = Annotated[
    dagger.Secret | None, Doc("age key that opens the secrets, e.g. env://SOPS_AGE_KEY")
]
Version = Annotated[
    str | None, Doc("Tag of the images, e.g. 1.2.3 (default: the commit that is checked out)")
]
Kubeconfig = Annotated[
    dagger.Secret, Doc("Whose cluster it is, and who may change it, e.g. file://~/.kube/config")
]
KubeconfigOrNone = Annotated[
    dagger.Secret | None,
    Name("kubeconfig"),
    Doc("Whose cluster it is, and who may change it, e.g. file://~/.kube/config"),
]
DockerSocket = Annotated[
    dagger.Socket | None, Doc("Docker's, where Compose deploys, e.g. /var/run/docker.sock")
]
Reason = Annotated[str, Doc("Why, for the audit trail")]

dagger.enum_type(FormatChoice)
Format = Annotated[FormatChoice, Name("format"), Doc("How to render it")]
