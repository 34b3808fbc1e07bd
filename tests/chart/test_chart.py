"""The chart, as Helm renders it: what Kubernetes would accept, and what is in it."""

import base64
import copy
import json
from pathlib import Path

import pytest

from tests.chart import schemas, values
from tests.chart.programs import TRIVY, output_of, run
from tests.chart.rendered import CHART, WORKLOADS, render
from tests.chart.values import PASSWORD, STAGING, Values

# Trivy's checks that aren't held, and why.
ACCEPTED = {
    "KSV-0020": "images of others have users of their own, with low numbers",
    "KSV-0021": "as KSV-0020, of groups",
    "KSV-0048": "who deploys manages workloads",
    "KSV-0049": "who deploys manages ConfigMaps",
    "KSV-0056": "who deploys manages Services and their policies",
    "KSV-0110": "the namespace is the release's",
    "KSV-0113": "Helm keeps its records in Secrets",
    "KSV-01010": "takes API_GATEWAY_TIMEOUT_MS for a secret",
    "KSV-0125": "any registry is right whose images are verified",
}

every_stack = pytest.mark.parametrize("stack", values.ALL.values(), ids=list(values.ALL))


def refusal(stack: Values) -> str:
    """What Helm says to values that it doesn't take."""
    ran = run("helm", ["template", "demo", CHART, "--values=-"], json.dumps(stack))
    assert ran.status != 0
    return ran.errors


@every_stack
def test_lint_finds_nothing(stack: Values, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps(stack))
    assert "[WARNING]" not in output_of("helm", "lint", "--strict", CHART, f"--values={file}")


def test_the_defaults_render_nothing() -> None:
    assert render({}).objects == []


@every_stack
def test_objects_are_as_kubernetes_defines_them(stack: Values) -> None:
    location = f"-schema-location={schemas.make_schemas()}"
    output_of("kubeconform", "-strict", "-summary", location, stdin=render(stack).text)


@pytest.fixture(scope="module")
def misconfigurations(
    scanners: None,  # noqa: ARG001 - Trivy is one
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, list[tuple[str, str]]]:
    """What Trivy finds, by stack: it takes seconds to read its checks, so it does it once."""
    folder = tmp_path_factory.mktemp("rendered")
    for name, stack in values.ALL.items():
        (folder / name).with_suffix(".yaml").write_text(render(stack).text)
    options = ["config", "--quiet", "--format=json", "--skip-check-update"]
    report = json.loads(output_of(TRIVY, *options, folder))
    return {
        result["Target"].removesuffix(".yaml"): [
            (each["ID"], each["Message"])
            for each in result.get("Misconfigurations", [])
            if each["ID"] not in ACCEPTED
        ]
        for result in report["Results"]
    }


@pytest.mark.parametrize("stack", values.ALL)
def test_trivy_finds_no_misconfiguration(
    misconfigurations: dict[str, list[tuple[str, str]]], stack: str
) -> None:
    assert misconfigurations[stack] == []


@every_stack
def test_objects_leave_their_namespace_to_the_release(stack: Values) -> None:
    assert [each for each in render(stack).objects if "namespace" in each["metadata"]] == []


@every_stack
def test_no_name_stands_twice(stack: Values) -> None:
    objects = render(stack).objects
    names = {(each["kind"], each["metadata"]["name"]) for each in objects}
    assert len(names) == len(objects)


@every_stack
def test_every_pod_is_hardened(stack: Values) -> None:
    rendered = render(stack)
    accounts = rendered.named("ServiceAccount")
    for name, pod in rendered.pods().items():
        spec = pod["spec"]
        assert spec["serviceAccountName"] == name
        assert spec["automountServiceAccountToken"] is False
        assert accounts[name]["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] > 0
        assert security["runAsGroup"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in rendered.containers():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]]


@every_stack
def test_every_container_of_a_service_is_probed_and_stops_gently(stack: Values) -> None:
    for name, deployment in render(stack).named("Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        [container] = pod["containers"]
        service = stack["services"][name]
        live = {"path": service["livePath"], "port": "http"}
        assert container["ports"] == [{"name": "http", "containerPort": service["port"]}]
        assert container["startupProbe"]["httpGet"] == live
        assert container["livenessProbe"]["httpGet"] == live
        ready = {"path": service["readyPath"], "port": "http"}
        assert container["readinessProbe"]["httpGet"] == ready
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert 0 < pause < pod["terminationGracePeriodSeconds"]
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@every_stack
def test_policies_open_the_edges_that_needs_draws(stack: Values) -> None:
    rendered = render(stack)
    inside = {**stack.get("services", {}), **stack.get("backing", {})}
    edges = {
        (name, needed, inside[needed]["port"])
        for name, service in stack.get("services", {}).items()
        for needed in service["needs"]
        if needed in inside
    }
    assert rendered.edges("egress", "to") == edges
    assert {
        (caller, called, port) for called, caller, port in rendered.edges("ingress", "from")
    } == edges


@every_stack
def test_policies_open_to_anywhere_only_entry_external_and_name_resolution(stack: Values) -> None:
    policies = render(stack).named("NetworkPolicy")
    opened = {
        (name, port["port"])
        for name, policy in policies.items()
        for rule in [*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])]
        if not rule.get("from") and not rule.get("to")
        for port in rule["ports"]
    }
    services = stack.get("services", {})
    expected = {(f"{name}-to-dns", 53) for name, each in services.items() if each["needs"]}
    expected |= {
        (f"{name}-to-{needed}", stack["external"][needed]["port"])
        for name, each in services.items()
        for needed in each["needs"]
        if needed in stack["external"]
    }
    if services:
        entry = stack["entry"]["service"]
        expected.add((f"{entry}-from-anywhere", services[entry]["port"]))
        assert policies["default-deny"]["spec"] == {
            "podSelector": {"matchLabels": {"app.kubernetes.io/instance": "demo"}},
            "policyTypes": ["Ingress", "Egress"],
        }
    assert opened == expected


@every_stack
def test_pods_that_are_needed_by_no_one_are_reached_by_no_one(stack: Values) -> None:
    for policy in render(stack).named("NetworkPolicy").values():
        directions = {"Ingress": "ingress", "Egress": "egress"}
        spec = policy["spec"]
        if policy["metadata"]["name"] != "default-deny":
            [direction] = spec["policyTypes"]
            assert spec[directions[direction]]


@every_stack
def test_selectors_find_their_pods_and_no_others(stack: Values) -> None:
    rendered = render(stack)
    for kind in ("Service", "PodDisruptionBudget", *WORKLOADS):
        for name, each in rendered.named(kind).items():
            selector = each["spec"]["selector"]
            labels = selector.get("matchLabels", selector)
            found = [
                pod
                for pod, template in rendered.pods().items()
                if labels.items() <= template["metadata"]["labels"].items()
            ]
            assert found == [name]


@every_stack
def test_an_autoscaler_stands_where_the_number_of_pods_may_differ(stack: Values) -> None:
    rendered = render(stack)
    scalers = rendered.named("HorizontalPodAutoscaler")
    for name, service in stack.get("services", {}).items():
        low, high = service["replicas"]["min"], service["replicas"]["max"]
        spec = rendered.named("Deployment")[name]["spec"]
        if low == high:
            assert name not in scalers
            assert spec["replicas"] == low
        else:
            scaler = scalers[name]["spec"]
            assert (scaler["minReplicas"], scaler["maxReplicas"]) == (low, high)
            assert "replicas" not in spec


@every_stack
def test_a_budget_stands_where_there_is_more_than_one_pod(stack: Values) -> None:
    budgets = render(stack).named("PodDisruptionBudget")
    several = {
        name for name, each in stack.get("services", {}).items() if each["replicas"]["min"] > 1
    }
    assert set(budgets) == several


def test_the_two_autoscalers_share_no_metric() -> None:
    rendered = render(values.VERTICAL)
    vertical = rendered.named("VerticalPodAutoscaler")
    assert set(vertical) == set(rendered.named("Deployment"))
    for each in vertical.values():
        [policy] = each["spec"]["resourcePolicy"]["containerPolicies"]
        assert policy["controlledResources"] == ["memory"]
        assert policy["controlledValues"] == "RequestsOnly"
    for each in rendered.named("HorizontalPodAutoscaler").values():
        [metric] = each["spec"]["metrics"]
        assert metric["resource"]["name"] == "cpu"


def test_version_and_revision_change_no_pod() -> None:
    later = values.changed(STAGING, version="2.0.0+build.7", revision="f" * 40)
    before, after = render(STAGING), render(later)
    assert before.pods() == after.pods()
    claims = [
        each["spec"].get("volumeClaimTemplates") for each in before.named("StatefulSet").values()
    ]
    assert claims == [
        each["spec"].get("volumeClaimTemplates") for each in after.named("StatefulSet").values()
    ]
    assert set(before.named("ConfigMap")) == set(after.named("ConfigMap"))
    proxy = after.named("Deployment")["proxy"]["metadata"]
    assert proxy["labels"]["app.kubernetes.io/version"] == "2.0.0_build.7"
    assert proxy["annotations"]["pipeline/revision"] == "f" * 40


@pytest.mark.parametrize("field", ["environment", "secrets"])
def test_a_setting_restarts_the_service_that_has_it_and_no_other(field: str) -> None:
    name = "consciousness-engine"
    settings = {**STAGING["services"][name][field], "ADDED": "1"}
    before = render(STAGING)
    after = render(values.with_service(STAGING, name, **{field: settings}))
    assert {pod for pod in before.pods() if before.pods()[pod] != after.pods()[pod]} == {name}
    kind, other = ("ConfigMap", "Secret") if field == "environment" else ("Secret", "ConfigMap")
    assert len(set(before.named(kind)) - set(after.named(kind))) == 1
    assert set(before.named(other)) == set(after.named(other))


def test_the_order_of_settings_changes_nothing() -> None:
    name = "api-gateway"
    settings = STAGING["services"][name]["environment"]
    turned = dict(reversed(settings.items()))
    assert list(turned) != list(settings)
    assert (
        render(values.with_service(STAGING, name, environment=turned)).text == render(STAGING).text
    )


@every_stack
def test_pods_take_their_environment_from_objects_that_never_change(stack: Values) -> None:
    rendered = render(stack)
    workloads = {**stack.get("services", {}), **stack.get("backing", {})}
    for name, pod in rendered.pods().items():
        found: dict[str, str] = {}
        for source in pod["spec"]["containers"][0].get("envFrom", []):
            match source:
                case {"configMapRef": {"name": reference}}:
                    each = rendered.named("ConfigMap")[reference]
                    found |= each["data"]
                case {"secretRef": {"name": reference}}:
                    each = rendered.named("Secret")[reference]
                    found |= {
                        variable: base64.b64decode(value).decode()
                        for variable, value in each["data"].items()
                    }
            assert each["immutable"] is True
            assert each["metadata"]["labels"]["app.kubernetes.io/instance"] == "demo"
            assert reference.endswith(each["metadata"]["labels"]["pipeline/content"])
            assert each["metadata"]["annotations"] == {
                "helm.sh/hook": "pre-install,pre-upgrade,pre-rollback",
                "helm.sh/hook-delete-policy": "before-hook-creation",
            }
        assert found == {**workloads[name]["environment"], **workloads[name]["secrets"]}


@every_stack
def test_secret_values_stand_in_secrets_alone(stack: Values) -> None:
    others = [each for each in render(stack).objects if each["kind"] != "Secret"]
    assert PASSWORD not in json.dumps(others)
    assert base64.b64encode(PASSWORD.encode()).decode() not in json.dumps(others)


def test_a_migration_runs_in_the_image_of_its_service_with_all_it_has() -> None:
    pod = render(STAGING).pods()["consciousness-engine"]["spec"]
    [migrate], [container] = pod["initContainers"], pod["containers"]
    assert migrate["args"] == ["migrate"]
    for field in ("image", "envFrom", "resources", "securityContext", "volumeMounts"):
        assert migrate[field] == container[field]


def test_backing_keeps_its_data_in_a_volume_or_with_the_pod() -> None:
    sets = render(STAGING).named("StatefulSet")
    [claim] = sets["postgres"]["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "1Gi"
    assert "volumeClaimTemplates" not in sets["redis"]["spec"]
    volumes = sets["redis"]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "data", "emptyDir": {}} in volumes
    [container] = sets["postgres"]["spec"]["template"]["spec"]["containers"]
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == [
        "/tmp",
        "/var/run/postgresql",
        "/var/lib/postgresql/data",
    ]


def test_backing_is_asked_by_its_program_or_its_port() -> None:
    pods = render(STAGING).pods()
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        postgres = pods["postgres"]["spec"]["containers"][0][probe]
        assert postgres["exec"]["command"] == ["pg_isready", "--host=127.0.0.1"]
        assert pods["redis"]["spec"]["containers"][0][probe]["tcpSocket"] == {"port": "main"}


def test_the_entry_is_opened_by_what_was_asked_for() -> None:
    assert render(STAGING).named("Ingress") == render(STAGING).named("HTTPRoute") == {}
    ingress = render(values.INGRESS).named("Ingress")["proxy"]["spec"]
    assert ingress["ingressClassName"] == "nginx"
    assert ingress["tls"] == [{"secretName": "stack-example", "hosts": ["stack.example"]}]
    [rule] = ingress["rules"]
    assert rule["host"] == "stack.example"
    [path] = rule["http"]["paths"]
    assert path["backend"]["service"] == {"name": "proxy", "port": {"number": 8080}}
    route = render(values.GATEWAY).named("HTTPRoute")["proxy"]["spec"]
    assert route["parentRefs"] == [{"name": "public", "namespace": "gateways"}]
    assert route["hostnames"] == ["stack.example"]
    assert route["rules"] == [{"backendRefs": [{"name": "proxy", "port": 8080}]}]


def test_private_images_are_pulled_by_the_accounts() -> None:
    account = render(values.SINGLE).named("ServiceAccount")["one"]
    assert account["imagePullSecrets"] == [{"name": "registry-key"}]


def test_rights_are_for_the_deployer_alone_and_for_what_the_chart_renders() -> None:
    deployer = render(values.DEPLOYER)
    assert [each["kind"] for each in deployer.objects] == ["ServiceAccount", "Role", "RoleBinding"]
    writable = {
        (group, resource)
        for rule in deployer.named("Role")["deployer"]["rules"]
        if "update" in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    rendered = {
        (each["apiVersion"].rpartition("/")[0], each["kind"].lower())
        for stack in values.ALL.values()
        if stack is not values.DEPLOYER
        for each in render(stack).objects
    }
    singular = {(group, _singular(resource)) for group, resource in writable}
    assert singular == {*rendered, ("coordination.k8s.io", "lease")}
    assert "*" not in json.dumps(deployer.objects)


def _singular(resource: str) -> str:
    return (
        resource.removesuffix("ies") + "y"
        if resource.endswith("ies")
        else {"ingresses": "ingress"}.get(resource, resource.removesuffix("s"))
    )


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["services", "web-ui", "imagge"], "x", "imagge"),
        (["services", "web-ui", "image"], "web-ui:latest", "/services/web-ui/image"),
        (["services", "web-ui", "user"], 0, "/services/web-ui/user"),
        (["services", "web-ui", "port"], "8080", "/services/web-ui/port"),
        (["services", "web-ui", "needs"], ["nobody"], "services.web-ui.needs: nobody is neither"),
        (["services", "web-ui", "replicas"], {"min": 3, "max": 2}, "min 3 is above max 2"),
        (["services", "Web"], STAGING["services"]["web-ui"], "Web"),
        (["services", "null"], STAGING["services"]["web-ui"], "null: YAML reads this as"),
        (["services", "web-ui", "environment"], {"A": 1}, "/services/web-ui/environment/A"),
        (["external", "redis"], {"port": 1}, "redis: stands in more than one of"),
        (["entry", "service"], "nobody", 'entry.service: "nobody" is not in services'),
        (["entry", "kind"], "gateway", "/entry/gateway/name"),
        (["deployment", "surge"], "0%", "/deployment/surge"),
        (["deployment", "strategy"], "sudden", "/deployment/strategy"),
    ],
)
def test_mistakes_are_named(path: list[str], value: object, message: str) -> None:
    stack = copy.deepcopy(STAGING)
    *sections, last = path
    section = stack
    for name in sections:
        section = section[name]
    section[last] = value
    assert message in refusal(stack)
