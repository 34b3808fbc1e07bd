"""Tools of Kubernetes, and the programs that a cluster is made of."""

from __future__ import annotations

from bootstrap.programs import Programs

VERSION = "v1.34.1"
_MAJOR, _MINOR = VERSION.removeprefix("v").split(".")[:2]
_LINK = " ".join(
    f"-X k8s.io/component-base/version.git{name}={value}"
    for name, value in {"Version": VERSION, "Major": _MAJOR, "Minor": _MINOR}.items()
)
_HELM = "helm.sh/helm/v3"

TOOLS = Programs(
    name="kubernetes-tools",
    title="helm, kubectl, kubeconform and vegeta, once (1 to 3 minutes)",
    compiled={
        "helm": (
            f"{_HELM}/cmd/helm",
            f"-X {_HELM}/internal/version.version=v3.19.0"
            f" -X {_HELM}/pkg/lint/rules.k8sVersionMajor={_MAJOR}"
            f" -X {_HELM}/pkg/lint/rules.k8sVersionMinor={_MINOR}"
            f" -X {_HELM}/pkg/chartutil.k8sVersionMajor={_MAJOR}"
            f" -X {_HELM}/pkg/chartutil.k8sVersionMinor={_MINOR}",
        ),
        "kubectl": ("k8s.io/kubernetes/cmd/kubectl", _LINK),
        "kubeconform": ("github.com/yannh/kubeconform/cmd/kubeconform", "-X main.version=v0.7.0"),
        "vegeta": ("github.com/tsenart/vegeta/v12", "-X main.Version=v12.13.0"),
    },
)
CLUSTER = Programs(
    name="kubernetes",
    title="Kubernetes, etcd, CoreDNS, metrics-server, once (3 to 6 minutes)",
    compiled={
        "etcd": ("go.etcd.io/etcd/server/v3", ""),
        **{
            name: (f"k8s.io/kubernetes/cmd/{name}", _LINK)
            for name in (
                *("kube-apiserver", "kube-controller-manager", "kube-proxy"),
                *("kube-scheduler", "kubelet"),
            )
        },
        "coredns": ("./coredns", ""),
        "kube-network-policies": ("sigs.k8s.io/kube-network-policies/cmd", ""),
        "metrics-server": ("sigs.k8s.io/metrics-server/cmd/metrics-server", ""),
    },
)
STORAGE = Programs(
    name="local-path",
    title="local-path-provisioner, once (seconds after Kubernetes)",
    compiled={"local-path-provisioner": ("github.com/rancher/local-path-provisioner", "")},
)
