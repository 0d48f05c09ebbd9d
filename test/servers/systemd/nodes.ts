import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a machine has beside a plain Debian: contents by path; in a `.wants` folder, what the link leads to. */
export type MachineFiles = Readonly<
  Record<string, string | { readonly text: string; readonly mode: number }>
>;

export type NodeKind = 'eks-al2' | 'eks-al2023' | 'gke-cos' | 'kubeadm';

const HERE = import.meta.dirname;
const KUBELET = { text: readFileSync(join(HERE, 'kubelet.cjs'), 'utf8'), mode: 0o755 };
const CONFIG = JSON.stringify({
  kind: 'KubeletConfiguration',
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  maxPods: 110,
});
const DAEMON = `[Unit]
Description=Container runtime
Before=kubelet.service

[Service]
ExecStart=/usr/local/bin/node /drp/test/servers/systemd/image-service.mjs --listen /run/containerd/containerd.sock
RuntimeDirectory=containerd
Restart=always

[Install]
WantedBy=multi-user.target
`;
/** What the single executable is for the tests: the image service is a stand-in, the rest is the real program. */
const PROGRAM = {
  text: `#!/bin/sh
# version 1
if [ "$1" = image-service ]; then shift; exec /usr/local/bin/node /drp/test/servers/systemd/image-service.mjs "$@"; fi
exec /usr/local/bin/node /drp/dist/cli/main.js "$@"
`,
  mode: 0o755,
};

const COMMON: MachineFiles = {
  '/etc/systemd/system/containerd.service': DAEMON,
  '/etc/systemd/system/multi-user.target.wants/containerd.service': '/etc/systemd/system/containerd.service',
  '/etc/systemd/system/multi-user.target.wants/kubelet.service': '/etc/systemd/system/kubelet.service',
  '/srv/drp': PROGRAM,
  '/usr/sbin/iptables': { text: '#!/bin/sh\nexit 0\n', mode: 0o755 },
};

/** Units as the node images of EKS, GKE and kubeadm have them. */
export function nodeFiles(kind: NodeKind): MachineFiles {
  return { ...COMMON, ...NODES[kind] };
}

const NODES: Readonly<Record<NodeKind, MachineFiles>> = {
  'eks-al2': {
    '/usr/bin/kubelet': KUBELET,
    '/etc/kubernetes/kubelet/kubelet-config.json': CONFIG,
    '/etc/systemd/system/kubelet.service': `[Unit]
Description=Kubernetes Kubelet
Documentation=https://github.com/kubernetes/kubernetes
After=containerd.service sandbox-image.service
Wants=containerd.service

[Service]
Slice=runtime.slice
ExecStartPre=/sbin/iptables -P FORWARD ACCEPT -w 5
ExecStart=/usr/bin/kubelet \\
    --config /etc/kubernetes/kubelet/kubelet-config.json \\
    --kubeconfig /var/lib/kubelet/kubeconfig \\
    --container-runtime-endpoint unix:///run/containerd/containerd.sock \\
    --image-credential-provider-config /etc/eks/image-credential-provider/config.json \\
    --image-credential-provider-bin-dir /etc/eks/image-credential-provider \\
    $KUBELET_ARGS \\
    $KUBELET_EXTRA_ARGS

Restart=on-failure
RestartForceExitStatus=SIGPIPE
RestartSec=1
KillMode=process
CPUAccounting=true
MemoryAccounting=true

[Install]
WantedBy=multi-user.target
`,
    '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf': `[Service]
Environment='KUBELET_ARGS=--node-ip=10.0.0.1 --v=2'
`,
    '/etc/systemd/system/kubelet.service.d/30-kubelet-extra-args.conf': `[Service]
Environment='KUBELET_EXTRA_ARGS=--node-labels=a=b'
`,
  },
  'eks-al2023': {
    '/usr/bin/kubelet': KUBELET,
    '/etc/kubernetes/kubelet/config.json': CONFIG,
    '/etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf': CONFIG.replace('110', '29'),
    '/etc/eks/kubelet/environment':
      'NODEADM_KUBELET_ARGS="--config=/etc/kubernetes/kubelet/config.json --config-dir=/etc/kubernetes/kubelet/config.json.d --kubeconfig=/var/lib/kubelet/kubeconfig --container-runtime-endpoint=unix:///run/containerd/containerd.sock --node-ip=10.0.0.1"\n',
    '/etc/systemd/system/kubelet.service': `[Unit]
Description=Kubernetes Kubelet
After=containerd.service
Wants=containerd.service

[Service]
Slice=runtime.slice
EnvironmentFile=/etc/eks/kubelet/environment
ExecStartPre=/sbin/iptables -P FORWARD ACCEPT -w 5
ExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS
Restart=on-failure
RestartForceExitStatus=SIGPIPE
RestartSec=1
KillMode=process

[Install]
WantedBy=multi-user.target
`,
  },
  'gke-cos': {
    '/home/kubernetes/bin/kubelet': KUBELET,
    '/home/kubernetes/kubelet-config.yaml': CONFIG,
    '/etc/os-release': 'NAME="Container-Optimized OS"\nID=cos\n',
    '/etc/default/kubelet':
      'KUBELET_OPTS="--v=2 --cloud-provider=external --config /home/kubernetes/kubelet-config.yaml --container-runtime-endpoint=unix:///run/containerd/containerd.sock --node-labels=cloud.google.com/gke-nodepool=default"\nKUBE_COVERAGE_FILE="/var/log/kubelet.cov"\n',
    '/etc/systemd/system/kubelet.service': `[Unit]
Description=Kubernetes kubelet
Requires=network-online.target
After=network-online.target

[Service]
Restart=always
RestartSec=1
EnvironmentFile=/etc/default/kubelet
ExecStart=/home/kubernetes/bin/kubelet $KUBELET_OPTS

[Install]
WantedBy=multi-user.target
`,
  },
  kubeadm: {
    '/usr/bin/kubelet': KUBELET,
    '/var/lib/kubelet/config.yaml': CONFIG,
    '/var/lib/kubelet/kubeadm-flags.env':
      'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/containerd/containerd.sock --pod-infra-container-image=registry.k8s.io/pause:3.9"\n',
    '/usr/lib/systemd/system/kubelet.service': `[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=1

[Install]
WantedBy=multi-user.target
`,
    '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf': `# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
# This is a file that "kubeadm init" and "kubeadm join" generates at runtime, populating the KUBELET_KUBEADM_ARGS variable dynamically
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`,
  },
};
