package component

import (
	"fmt"
	"path/filepath"

	"github.com/refitproject/refit/test/cluster/internal/keeper"
)

// Socket is where containerd listens inside of a node; /run is its own there.
const Socket = "/run/containerd/containerd.sock"

func (s Spec) containerd() keeper.Component {
	return keeper.Component{
		Name: containerd, Path: s.Programs[containerd],
		Args:  []string{"--config", s.path("containerd.toml")},
		Ready: keeper.Probe{Unix: Socket},
	}
}

func (s Spec) kubelet() keeper.Component {
	return keeper.Component{
		Name: kubelet, Path: s.Programs[kubelet],
		Args: []string{
			"--config=" + s.path("kubelet.yaml"), "--kubeconfig=" + s.user("kubelet"),
			"--hostname-override=" + s.Node(), "--node-ip=" + s.Network.Node.Addr().String(),
		},
		After: []string{apiserver, containerd},
		Ready: keeper.Probe{URL: "http://127.0.0.1:10248/healthz"},
	}
}

func (s Spec) kubeProxy() keeper.Component {
	return keeper.Component{
		Name: kubeProxy, Path: s.Programs[kubeProxy],
		Args:  []string{"--config=" + s.path("kube-proxy.yaml")},
		After: []string{apiserver},
		Ready: keeper.Probe{URL: "http://127.0.0.1:10256/livez"},
	}
}

// containerdConfig: an ordinary user of root rights may not lower the score by
// which the kernel chooses whom to end when memory is out, and the start of a
// container would fail over it.
func (s Spec) containerdConfig() string {
	return fmt.Sprintf(`version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]

[grpc]
  address = %q

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = %q
    conf_dir = %q

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`, Socket, s.Pause, s.Plugins, s.path("cni"))
}

func (s Spec) bridgeConfig() string {
	return fmt.Sprintf(`{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [
    {
      "type": "bridge",
      "bridge": "pods",
      "isGateway": true,
      "hairpinMode": true,
      "ipam": {
        "type": "host-local",
        "ranges": [[{"subnet": %q}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`, s.Network.Pods)
}

// kubeletConfig: images are never removed, because they cannot be had again.
func (s Spec) kubeletConfig() string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: %s
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: %q}
authorization: {mode: Webhook}
tlsCertFile: %q
tlsPrivateKeyFile: %q
cgroupDriver: cgroupfs
cgroupRoot: %s
failCgroupV1: false
failSwapOn: false
clusterDNS: [%s]
clusterDomain: cluster.local
resolvConf: %q
containerRuntimeEndpoint: unix://%s
volumePluginDir: /var/lib/kubelet/volume-plugins
imageGCHighThresholdPercent: 100
evictionHard: {nodefs.available: 0%%, nodefs.inodesFree: 0%%, imagefs.available: 0%%}
oomScoreAdj: 0
`, s.Network.Node.Addr(), s.cert("ca"), s.cert("kubelet"), s.key("kubelet"), s.Cgroup(), s.DNS(),
		s.path("resolv.conf"), Socket)
}

// kubeProxyConfig: the limits of connection tracking belong to the machine and
// are left alone.
func (s Spec) kubeProxyConfig() string {
	return fmt.Sprintf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clientConnection: {kubeconfig: %q}
clusterCIDR: %s
hostnameOverride: %s
bindAddress: %s
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
nodePortAddresses: [primary]
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
iptables: {minSyncPeriod: 200ms}
oomScoreAdj: 0
`, s.user("kube-proxy"), s.Network.Pods, s.Node(), s.Network.Node.Addr())
}

// Runtime is where the socket of containerd is found from outside, through the
// first process of the node.
func Runtime(pid int) string { return filepath.Join("/proc", fmt.Sprint(pid), "root", Socket) }
