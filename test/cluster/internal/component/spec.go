package component

import (
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"github.com/refitproject/refit/test/cluster/internal/keeper"
	"github.com/refitproject/refit/test/cluster/internal/node"
	"github.com/refitproject/refit/test/cluster/internal/pki"
)

// Mode is what runs pods.
type Mode string

// The modes of a cluster.
const (
	// Containers runs them for real, and needs root.
	Containers Mode = "containers"
	// Kwok only says that they run.
	Kwok Mode = "kwok"
)

// Spec is everything that differs between two clusters.
type Spec struct {
	Name string `json:"name"`
	Mode Mode   `json:"mode"`
	// Kubernetes is the version of its programs.
	Kubernetes string `json:"kubernetes"`
	// Dir is the folder of the cluster.
	Dir string `json:"dir"`
	// Network is used with containers.
	Network node.Network `json:"network"`
	// Ports are those of the address that Address returns.
	Ports Ports `json:"ports"`
	// Nodes is how many nodes kwok plays.
	Nodes   int       `json:"nodes,omitempty"`
	Created time.Time `json:"created"`
	// Programs maps the names of programs to their files.
	Programs map[string]string `json:"programs"`
	// Plugins is the folder of the network plugins.
	Plugins string `json:"plugins,omitempty"`
	// Pause is the image that holds pods.
	Pause string `json:"pause,omitempty"`
}

// Ports are what components listen on. With containers they are the usual ones,
// in a network of the cluster's own; without they are free ones of the machine.
type Ports struct {
	API               int `json:"api"`
	Etcd              int `json:"etcd"`
	EtcdPeer          int `json:"etcdPeer"`
	ControllerManager int `json:"controllerManager"`
	Scheduler         int `json:"scheduler"`
	Kwok              int `json:"kwok,omitempty"`
}

// UsualPorts are those that everybody uses.
func UsualPorts() Ports {
	return Ports{API: 6443, Etcd: 2379, EtcdPeer: 2380, ControllerManager: 10257, Scheduler: 10259}
}

// Address is where the API server listens.
func (s Spec) Address() netip.Addr {
	if s.Mode == Containers {
		return s.Network.Node.Addr()
	}
	return loopback()
}

// Server is the address of the API server.
func (s Spec) Server() string {
	return "https://" + netip.AddrPortFrom(s.Address(), uint16(s.Ports.API)).String()
}

// Node is the name of the only node with containers.
func (s Spec) Node() string { return s.Name + "-node" }

// DNS is the address of the cluster's name server.
func (s Spec) DNS() netip.Addr { return node.At(s.services(), 10) }

// Cgroup is the folder of control groups of the pods.
func (s Spec) Cgroup() string { return "/refit-testbed/" + s.Name }

func (s Spec) services() netip.Prefix {
	if s.Mode == Containers {
		return s.Network.Services
	}
	return netip.MustParsePrefix("10.96.0.0/16") // Nothing routes there.
}

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

// path returns a path in the folder of the cluster.
func (s Spec) path(parts ...string) string {
	return filepath.Join(append([]string{s.Dir}, parts...)...)
}

// cert and key return files of the cluster's authority.
func (s Spec) cert(name string) string { return s.path("pki", name+".crt") }
func (s Spec) key(name string) string  { return s.path("pki", name+".key") }

// Needs lists the programs that have to be built for a mode, sorted.
func Needs(m Mode) []string {
	if m == Kwok {
		return []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok"}
	}
	return []string{
		"coredns", "etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubectl",
		"kubelet", "local-path-provisioner", "pause", "probe",
	}
}

// Plan returns what the keeper of the cluster is told.
func (s Spec) Plan() keeper.Plan {
	plan := keeper.Plan{
		Record: s.path("keeper.json"), States: s.path("components.json"), Logs: s.path("logs"),
		Components: []keeper.Component{s.etcd(), s.apiserver(), s.controllerManager(), s.scheduler()},
	}
	if s.Mode == Kwok {
		plan.Components = append(plan.Components, s.kwok())
		return plan
	}
	plan.Components = append(plan.Components, s.containerd(), s.kubelet(), s.kubeProxy())
	plan.Node = &node.Setup{
		Hostname: s.Node(), Network: s.Network, Cgroup: s.Cgroup(), Scratch: s.path("node", "kernel"),
		Folders: map[string]string{"/var/lib": s.path("node", "var-lib"), "/var/log": s.path("node", "var-log")},
	}
	return plan
}

// Files returns the configuration files by their paths.
func (s Spec) Files() map[string]string {
	if s.Mode == Kwok {
		return map[string]string{}
	}
	return map[string]string{
		s.path("containerd.toml"):        s.containerdConfig(),
		s.path("cni", "bridge.conflist"): s.bridgeConfig(),
		s.path("kubelet.yaml"):           s.kubeletConfig(),
		s.path("kube-proxy.yaml"):        s.kubeProxyConfig(),
		s.path("resolv.conf"):            "nameserver " + s.DNS().String() + "\n",
	}
}

// Kubeconfigs returns the files with which people and components reach the API
// server.
func (s Spec) Kubeconfigs() map[string]pki.Kubeconfig {
	files := map[string]pki.Kubeconfig{}
	for file, user := range map[string]string{
		s.path("kubeconfig"):         "admin",
		s.user("controller-manager"): "controller-manager",
		s.user("scheduler"):          "scheduler",
	} {
		files[file] = s.kubeconfig(user)
	}
	switch s.Mode {
	case Kwok:
		files[s.user("kwok")] = s.kubeconfig("admin")
	case Containers:
		files[s.user("kubelet")] = s.kubeconfig("kubelet")
		files[s.user("kube-proxy")] = s.kubeconfig("kube-proxy")
	}
	return files
}

func (s Spec) user(name string) string { return s.path("users", name+".kubeconfig") }

func (s Spec) kubeconfig(user string) pki.Kubeconfig {
	return pki.Kubeconfig{
		Cluster: "refit-" + s.Name, Server: s.Server(),
		CA: s.cert("ca"), Cert: s.cert(user), Key: s.key(user),
	}
}

// Subjects returns who gets a certificate of the cluster's authority.
func (s Spec) Subjects() map[string]pki.Subject {
	local := []string{"localhost"}
	addresses := slices.Compact([]netip.Addr{loopback(), s.Address()})
	server := pki.Subject{
		Name:      "kube-apiserver",
		Hosts:     append(names("kubernetes", "default"), local...),
		Addresses: append([]netip.Addr{node.At(s.services(), 1)}, addresses...),
	}
	subjects := map[string]pki.Subject{
		"apiserver":      server,
		"apiserver-etcd": {Name: "kube-apiserver-etcd-client"},
		"etcd":           {Name: "etcd", Hosts: local, Addresses: addresses},
		"admin":          {Name: "admin", Groups: []string{"system:masters"}},
		"controller-manager": {
			Name: "system:kube-controller-manager", Hosts: local, Addresses: addresses,
		},
		"scheduler": {Name: "system:kube-scheduler", Hosts: local, Addresses: addresses},
	}
	if s.Mode == Containers {
		maps.Copy(subjects, map[string]pki.Subject{
			// The API server may do at the kubelet what its users may do.
			"apiserver-kubelet": {Name: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}},
			"kubelet": {
				Name: "system:node:" + s.Node(), Groups: []string{"system:nodes"},
				Hosts: []string{s.Node()}, Addresses: addresses,
			},
			"kube-proxy": {Name: "system:kube-proxy"},
		})
	}
	return subjects
}

// names returns the names of a Service.
func names(service, namespace string) []string {
	short := service + "." + namespace
	return []string{service, short, short + ".svc", short + ".svc.cluster.local"}
}
