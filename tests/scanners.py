"""The small databases with which tests scan repositories that have no config/scan.yml."""

from bootstrap.settings import Settings

SETTINGS = Settings.from_environment()
DATABASES = [
    f"--trivy-database={SETTINGS.databases / 'trivy-db.tar.gz'}",
    f"--grype-database={SETTINGS.databases / 'grype-db.tar.gz'}",
]
