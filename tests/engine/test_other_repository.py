"""The module works on any repository: two services, under other names, in another folder."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.conftest import ROOT, dagger_call


def test_two_services_under_other_names(tmp_path: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "services"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in tracked:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    for service in ("consciousness-engine", "proxy"):
        (tmp_path / "services" / service / "service.yml").unlink()
    (tmp_path / "services/web-ui").rename(tmp_path / "services/shop-window")
    window = tmp_path / "services/shop-window/service.yml"
    window.write_text(window.read_text().replace("name: web-ui", "name: shop-window"))
    door = tmp_path / "services/api-gateway/service.yml"
    text = door.read_text().replace("name: api-gateway", "name: front-door")
    door.write_text(text + "build:\n  binary: api-gateway\n")
    called = dagger_call("build-all", "--format=json", source=tmp_path)
    assert called.status == 0, called.progress[-3000:]
    summary = json.loads(called.output)
    assert [image["service"] for image in summary["images"]] == ["front-door", "shop-window"]
    assert summary["version"] == "0.0.0-dev"
    assert all(len(image["platforms"]) == 2 for image in summary["images"])
