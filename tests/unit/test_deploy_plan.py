"""What a deployment would change, and that secrets stay out of it."""

import json

from pipeline.deploy.kubernetes.plan import planned
from pipeline.report.plan import render_plan

BEFORE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 1
  template:
    spec:
      containers:
        - {name: log, image: log}
        - {name: shop, image: "shop@sha256:a", args: [serve]}
---
apiVersion: v1
kind: Secret
metadata:
  name: shop-secrets-1
  labels: {pipeline/content: "1", app.kubernetes.io/name: shop}
stringData: {TOKEN: hunter2}
---
apiVersion: v1
kind: Service
metadata: {name: old}
"""
AFTER = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      containers:
        - {name: shop, image: "shop@sha256:b", args: [serve]}
        - {name: log, image: log}
---
apiVersion: v1
kind: Secret
metadata:
  name: shop-secrets-2
  labels: {pipeline/content: "2", app.kubernetes.io/name: shop}
stringData: {TOKEN: hunter3, KEY: hunter4}
---
apiVersion: v1
kind: Service
metadata: {name: new}
"""


def test_each_changed_field_is_told_and_no_secret() -> None:
    assert render_plan(planned(BEFORE, AFTER, "staging"), "table").splitlines() == [
        "~ Deployment shop",
        "    spec.replicas: 1 → (not set)",
        "    spec.template.spec.containers[shop].image: shop@sha256:a → shop@sha256:b",
        "~ Secret shop (named by content)",
        "    metadata.labels.pipeline/content: 1 → 2",
        "    metadata.name: shop-secrets-1 → shop-secrets-2",
        "    stringData.KEY: (not set) → (secret)",
        "    stringData.TOKEN: (secret) → (secret)",
        "+ Service new",
        "- Service old",
        "",
        "4 objects of staging: 1 to create, 2 to change, 1 to delete.",
    ]


def test_nothing_that_stays_is_told() -> None:
    assert render_plan(planned(BEFORE, BEFORE, "staging"), "table") == (
        "Nothing would change in staging.\n"
    )


def test_every_format_says_the_same() -> None:
    plan = planned("", AFTER, "staging")
    found = json.loads(render_plan(plan, "json"))
    assert [change["action"] for change in found["changes"]] == ["create"] * 3
    assert "| + | Service | `new` |  |  |  |" in render_plan(plan, "markdown")
    changed = planned(BEFORE, AFTER, "staging")
    texts = [render_plan(changed, name) for name in ("table", "markdown", "json")]
    assert not any("hunter" in text for text in texts)
