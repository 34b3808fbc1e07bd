"""All that decides an image beside the sources, as plain data that objects can carry."""

from pydantic import BaseModel

from pipeline.catalogue.models import Images, ServiceFile


class Recipe(BaseModel):
    """One service's way from its folder to its images.

    `annotations` are the OCI annotations, the image's labels too; `timestamp` is the commit's,
    in seconds.
    """

    service: ServiceFile
    directory: str
    images: Images
    annotations: dict[str, str]
    timestamp: int
