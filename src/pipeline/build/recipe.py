"""All that decides an image beside the sources, as plain data that objects can carry."""

from pipeline.catalogue.models import Images, ServiceFile
from pipeline.models import Model


class Recipe(Model):
    """One service's way from its folder to its images.

    `annotations` are the OCI annotations, the image's labels too; `timestamp` is the commit's,
    in seconds.
    """

    service: ServiceFile
    directory: str
    images: Images
    annotations: dict[str, str]
    timestamp: int
