package component

import (
	"fmt"
	"strconv"

	"github.com/refitproject/refit/test/cluster/internal/keeper"
)

// The names of components.
const (
	etcd              = "etcd"
	apiserver         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	kwok              = "kwok"
	containerd        = "containerd"
	kubelet           = "kubelet"
	kubeProxy         = "kube-proxy"
)

// authenticated asks over https as the administrator.
func (s Spec) authenticated(url string) keeper.Probe {
	return keeper.Probe{URL: url, CA: s.cert("ca"), Cert: s.cert("admin"), Key: s.key("admin")}
}

func local(port int, path string) string { return fmt.Sprintf("https://127.0.0.1:%d%s", port, path) }

func (s Spec) etcd() keeper.Component {
	url, peer := local(s.Ports.Etcd, ""), local(s.Ports.EtcdPeer, "")
	return keeper.Component{
		Name: etcd, Path: s.Programs[etcd],
		Args: []string{
			"--name=" + s.Name, "--data-dir=" + s.path("etcd"),
			"--listen-client-urls=" + url, "--advertise-client-urls=" + url,
			"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
			"--initial-cluster=" + s.Name + "=" + peer,
			"--client-cert-auth", "--trusted-ca-file=" + s.cert("ca"),
			"--cert-file=" + s.cert("etcd"), "--key-file=" + s.key("etcd"),
			"--peer-client-cert-auth", "--peer-trusted-ca-file=" + s.cert("ca"),
			"--peer-cert-file=" + s.cert("etcd"), "--peer-key-file=" + s.key("etcd"),
			// What a cluster knows is gone when it goes down: a crash of the
			// machine may take it too.
			"--unsafe-no-fsync",
			"--log-level=warn",
		},
		Ready: s.authenticated(url + "/health"),
	}
}

func (s Spec) apiserver() keeper.Component {
	args := []string{
		"--advertise-address=" + s.Address().String(), "--bind-address=" + s.Address().String(),
		"--secure-port=" + strconv.Itoa(s.Ports.API),
		"--etcd-servers=" + local(s.Ports.Etcd, ""), "--etcd-cafile=" + s.cert("ca"),
		"--etcd-certfile=" + s.cert("apiserver-etcd"), "--etcd-keyfile=" + s.key("apiserver-etcd"),
		"--tls-cert-file=" + s.cert("apiserver"), "--tls-private-key-file=" + s.key("apiserver"),
		"--client-ca-file=" + s.cert("ca"), "--anonymous-auth=false",
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--allow-privileged", "--profiling=false",
		"--service-cluster-ip-range=" + s.services().String(),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + s.path("pki", "sa.pub"),
		"--service-account-signing-key-file=" + s.key("sa"),
		"--requestheader-client-ca-file=" + s.cert("front-proxy-ca"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + s.cert("front-proxy-client"),
		"--proxy-client-key-file=" + s.key("front-proxy-client"),
	}
	if s.Mode == Containers {
		args = append(args,
			// The name of the node resolves nowhere.
			"--kubelet-preferred-address-types=InternalIP",
			"--kubelet-certificate-authority="+s.cert("ca"),
			"--kubelet-client-certificate="+s.cert("apiserver-kubelet"),
			"--kubelet-client-key="+s.key("apiserver-kubelet"))
	}
	return keeper.Component{
		Name: apiserver, Path: s.Programs[apiserver], Args: args, After: []string{etcd},
		Ready: s.authenticated(s.Server() + "/readyz"),
	}
}

// client is what the controllers have in common.
func (s Spec) client(user string, port int) []string {
	config := s.user(user)
	return []string{
		"--kubeconfig=" + config, "--authentication-kubeconfig=" + config, "--authorization-kubeconfig=" + config,
		"--leader-elect=false", "--profiling=false",
		"--bind-address=127.0.0.1", "--secure-port=" + strconv.Itoa(port),
		"--tls-cert-file=" + s.cert(user), "--tls-private-key-file=" + s.key(user),
	}
}

func (s Spec) controllerManager() keeper.Component {
	return keeper.Component{
		Name: controllerManager, Path: s.Programs[controllerManager],
		Args: append(s.client("controller-manager", s.Ports.ControllerManager),
			"--use-service-account-credentials", "--root-ca-file="+s.cert("ca"),
			"--service-account-private-key-file="+s.key("sa"),
			"--cluster-signing-cert-file="+s.cert("ca"), "--cluster-signing-key-file="+s.key("ca"),
			"--service-cluster-ip-range="+s.services().String(),
			// It would make the usual folder, which is the machine's.
			"--flex-volume-plugin-dir="+s.path("volume-plugins")),
		After: []string{apiserver},
		Ready: s.authenticated(local(s.Ports.ControllerManager, "/healthz")),
	}
}

func (s Spec) scheduler() keeper.Component {
	return keeper.Component{
		Name: scheduler, Path: s.Programs[scheduler],
		Args:  s.client("scheduler", s.Ports.Scheduler),
		After: []string{apiserver},
		Ready: s.authenticated(local(s.Ports.Scheduler, "/healthz")),
	}
}

func (s Spec) kwok() keeper.Component {
	address := "127.0.0.1:" + strconv.Itoa(s.Ports.Kwok)
	return keeper.Component{
		Name: kwok, Path: s.Programs[kwok],
		Args: []string{
			"--kubeconfig=" + s.user("kwok"), "--manage-all-nodes=true", "--server-address=" + address,
			"--cidr=10.64.0.0/10", "--node-ip=10.0.0.1",
		},
		Env:   []string{"HOME=" + s.path("kwok"), "KWOK_WORKDIR=" + s.path("kwok")},
		After: []string{apiserver},
		Ready: keeper.Probe{URL: "http://" + address + "/healthz"},
	}
}
