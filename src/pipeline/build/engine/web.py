"""Kind `web`: static files from an npm script, and nginx to serve them or to stand in front."""

import dagger
from dagger import dag

from pipeline.build.engine.layer import EPOCH, layer, settle
from pipeline.build.engine.run import shell
from pipeline.build.platforms import Platform
from pipeline.build.steps import (
    NGINX_SCRIPT,
    NPM_CACHE,
    NPM_INSTALL,
    NPM_MANIFESTS,
    PACKAGES_SCRIPT,
    site_script,
)
from pipeline.catalogue.models import Images, WebService
from pipeline.engine.files import read_texts


def nginx(image: str, platform: Platform) -> dagger.Directory:
    """Give nginx and the libraries that it links, out of Debian's packages; nothing is run."""
    files = (
        dag.container()
        .from_(image)
        .with_new_file("/nginx.sh", NGINX_SCRIPT, permissions=0o755)
        .with_exec(["/nginx.sh", platform.debian, platform.gnu_triplet])
        .directory("/nginx")
    )
    return layer(image, files)


async def site(service: WebService, images: Images, folder: dagger.Directory) -> dagger.Directory:
    """Build the static files, once for all platforms; dependencies are a layer of their own.

    Gives them at their place in the image, with what names the packages that they are made of.
    """
    # From their texts, so that they are what they were when something beside them changes.
    manifests = dag.directory()
    for name, text in (await read_texts(folder, NPM_MANIFESTS)).items():
        manifests = manifests.with_new_file(name, text)
    return (
        dag.container()
        .from_(images.node)
        .with_mounted_cache(NPM_CACHE.path, dag.cache_volume(NPM_CACHE.volume))
        .with_env_variable("npm_config_cache", NPM_CACHE.path)
        .with_workdir("/src")
        .with_directory("/src", manifests.with_timestamps(EPOCH))
        .with_exec(NPM_INSTALL)
        .with_new_file("/packages.mjs", PACKAGES_SCRIPT)
        .with_directory("/src", settle(images.debian, folder))
        .with_exec(shell(site_script(service)))
        .directory("/files")
    )


async def files_of(
    service: WebService, images: Images, folder: dagger.Directory, timestamp: int
) -> dagger.Directory:
    """Give the files of the service in its image: configuration and, if any, the site.

    They carry the commit's time, in seconds: browsers validate what they have kept by it.
    """
    files = dag.directory().with_file(
        "etc/nginx/nginx.conf", folder.file(service.build.nginx), permissions=0o444
    )
    if service.build.script is not None:
        files = files.with_directory("/", await site(service, images, folder))
    return layer(images.debian, files, timestamp)
