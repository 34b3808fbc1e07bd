"""The small databases with which tests scan."""

from bootstrap.settings import Settings

SETTINGS = Settings.from_environment()
DATABASES = [
    f"--trivy-database={SETTINGS.trivy_database}",
    f"--grype-database={SETTINGS.databases / 'grype-db.tar.gz'}",
]
