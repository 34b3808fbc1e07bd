"""A version that comes up, and doesn't do what it is for.

Only a cluster shows that requests through the API server's proxy reach new replicas among the old
ones, and are enough to tell. What else an entry may do wrong is tests/unit/test_deploy_broken.py's.
"""

import dagger
import pytest
from dagger import dag

from pipeline.deploy.kubernetes.rollout import RolledBackError
from tests.deploy.conftest import Release, pushed, with_limits
from tests.unit.configs import ROOT


@pytest.fixture
async def faulty(standing: Release) -> str:
    """The entry's image, changed so that every fifth answer is an error, in the registry."""
    text = (ROOT / "services/proxy/nginx.conf").read_text()
    text = text.replace(
        "    server {\n",
        '    split_clients $request_id $fails { 20% 1; * ""; }\n    server {\n'
        "        if ($fails) { return 500; }\n",
        1,
    )
    async with dagger.connection(dagger.Config()):
        container = dag.container(platform=dagger.Platform("linux/amd64"))
        failing = container.from_(standing.images["proxy"]).with_new_file(
            "/etc/nginx/nginx.conf", text, permissions=0o644
        )
        return await pushed("faulty", failing, standing.images)


async def test_healthy_but_every_fifth_answer_is_an_error(standing: Release, faulty: str) -> None:
    observed = with_limits(standing, max_error_percent=5)
    before = observed.running()
    with pytest.raises(RolledBackError, match=r"requests through the entry failed"):
        await observed.deploy("2.0.0", proxy={"image": faulty})
    assert observed.running() == before
    assert observed.is_whole()
