#!/usr/bin/env bash
# Runs all of a one-node cluster in one container: its end is the end of everything.
# Wants ADDRESS, NODE, SERVICE_RANGE and FIRST_SERVICE; configuration is in /etc/kubernetes.
set -euo pipefail
cd /etc/kubernetes
SERVER=https://$ADDRESS:6443

# Its own configuration, for Debian's would make an authority of every certificate.
sign() { # NAME SUBJECT OPTION...: a key and a certificate
    local name=$1 subject=$2
    shift 2
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 \
        -config <(printf '[req]\ndistinguished_name=name\n[name]\n') \
        -keyout "pki/$name.key" -out "pki/$name.crt" -subj "$subject" "$@" 2>/dev/null
}

authority() { # NAME
    sign "$1" "/CN=$1" -addext basicConstraints=critical,CA:TRUE
}

certificate() { # AUTHORITY NAME SUBJECT
    sign "$2" "$3" -CA "pki/$1.crt" -CAkey "pki/$1.key" \
        -addext extendedKeyUsage=serverAuth,clientAuth \
        -addext "subjectAltName=IP:$ADDRESS,IP:$FIRST_SERVICE,DNS:kubernetes.default.svc"
}

kubeconfig() { # NAME: of the user whose certificate has that name
    local ca crt key
    ca=$(base64 -w0 pki/cluster.crt) crt=$(base64 -w0 "pki/$1.crt") key=$(base64 -w0 "pki/$1.key")
    cat >"$1.conf" <<END
apiVersion: v1
kind: Config
current-context: pipeline
contexts: [{name: pipeline, context: {cluster: pipeline, user: $1}}]
clusters: [{name: pipeline, cluster: {server: "$SERVER", certificate-authority-data: $ca}}]
users: [{name: $1, user: {client-certificate-data: $crt, client-key-data: $key}}]
END
}

# A component that gives up on one which has not started yet is started again.
keep() { # COMMAND ARGUMENT...
    while true; do
        "$@" || true
        sleep 0.3
    done >>"/var/log/$1.log" 2>&1 &
}

umask 077
mkdir pki
authority cluster
authority etcd
authority front-proxy
certificate etcd etcd-server /CN=etcd
certificate cluster apiserver /CN=kube-apiserver
certificate front-proxy front-proxy-client /CN=front-proxy-client
certificate cluster admin /O=system:masters/CN=admin
certificate cluster kubelet "/O=system:nodes/CN=system:node:$NODE"
openssl ecparam -genkey -name prime256v1 -noout -out pki/service-accounts.key
for component in kube-controller-manager kube-scheduler kube-proxy; do
    certificate cluster "$component" "/CN=system:$component"
    kubeconfig "$component"
done
kubeconfig kubelet
kubeconfig admin
mv admin.conf kubeconfig
umask 022

# Pods that look after the node's networks see those that come after them.
mount --make-shared /run

keep containerd --config /opt/cluster/containerd.toml
keep etcd --data-dir=/var/lib/etcd --log-level=warn \
    --listen-client-urls="https://$ADDRESS:2379" --advertise-client-urls="https://$ADDRESS:2379" \
    --listen-peer-urls="http://127.0.0.1:0" --unsafe-no-fsync \
    --cert-file=pki/etcd-server.crt --key-file=pki/etcd-server.key \
    --trusted-ca-file=pki/etcd.crt --client-cert-auth
keep kube-apiserver --bind-address="$ADDRESS" --advertise-address="$ADDRESS" --secure-port=6443 \
    --allow-privileged --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
    --etcd-servers="https://$ADDRESS:2379" --etcd-cafile=pki/etcd.crt \
    --etcd-certfile=pki/etcd-server.crt --etcd-keyfile=pki/etcd-server.key \
    --client-ca-file=pki/cluster.crt \
    --tls-cert-file=pki/apiserver.crt --tls-private-key-file=pki/apiserver.key \
    --kubelet-certificate-authority=pki/cluster.crt --kubelet-client-certificate=pki/admin.crt \
    --kubelet-client-key=pki/admin.key --kubelet-preferred-address-types=InternalIP \
    --service-cluster-ip-range="$SERVICE_RANGE" \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file=pki/service-accounts.key \
    --service-account-signing-key-file=pki/service-accounts.key \
    --proxy-client-cert-file=pki/front-proxy-client.crt \
    --proxy-client-key-file=pki/front-proxy-client.key \
    --requestheader-client-ca-file=pki/front-proxy.crt \
    --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- --enable-aggregator-routing
keep kube-controller-manager --bind-address="$ADDRESS" --leader-elect=false \
    --kubeconfig=kube-controller-manager.conf \
    --authentication-kubeconfig=kube-controller-manager.conf \
    --authorization-kubeconfig=kube-controller-manager.conf \
    --root-ca-file=pki/cluster.crt --use-service-account-credentials \
    --service-account-private-key-file=pki/service-accounts.key
keep kube-scheduler --bind-address="$ADDRESS" --leader-elect=false \
    --kubeconfig=kube-scheduler.conf --authentication-kubeconfig=kube-scheduler.conf \
    --authorization-kubeconfig=kube-scheduler.conf
keep kubelet --config=kubelet.json --kubeconfig=kubelet.conf --node-ip="$ADDRESS" \
    --hostname-override="$NODE"
# What it would change of connection tracking on the machine stays as it is.
keep kube-proxy --proxy-mode=nftables --kubeconfig=kube-proxy.conf --hostname-override="$NODE" \
    --nodeport-addresses="$ADDRESS/32" --metrics-bind-address="$ADDRESS:10249" \
    --healthz-bind-address="$ADDRESS:10256" --conntrack-max-per-core=0 \
    --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0

export KUBECONFIG=$PWD/kubeconfig
until kubectl apply --filename=addons.yaml; do sleep 0.3; done
kubectl wait --for=create --timeout=3m "node/$NODE"
kubectl wait --for=condition=Ready --timeout=3m "node/$NODE"
kubectl --namespace=kube-system rollout status daemonset/kube-network-policies
kubectl --namespace=kube-system rollout status deployment/coredns
kubectl --namespace=local-path-storage rollout status deployment/local-path-provisioner
touch ready
wait
