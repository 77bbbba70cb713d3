package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/test/cluster/internal/cluster"
	"github.com/refitproject/refit/test/cluster/internal/component"
)

func TestRender(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	up := cluster.Status{
		Name: "demo", State: cluster.Up, Mode: component.Containers, Kubernetes: "v1.34.4",
		Server: "https://10.200.0.2:6443", Kubeconfig: "/state/demo/kubeconfig", Created: &created, Memory: 360 << 20,
		Nodes: &cluster.Count{Ready: 1, All: 1}, Pods: &cluster.Count{Ready: 2, All: 3},
		Disk: cluster.Disk{Cluster: 262 << 20, Programs: 1200 << 20, Images: 37 << 20},
		Components: []cluster.Component{
			{Name: "etcd", PID: 7, Memory: 24 << 20, Ready: true},
			{Name: "kubelet", PID: 8, Memory: 19 << 20},
			{Name: "kube-proxy"},
			{Name: "kube-scheduler", Exit: "ended by signal SIGKILL"},
		},
	}
	broken := cluster.Status{
		Name: "demo", State: cluster.Broken, Why: "its processes have ended", Mode: component.Kwok, Kubernetes: "v1.34.4",
		Server: "https://127.0.0.1:41737", Kubeconfig: "/state/demo/kubeconfig", Created: &created,
	}
	for name, c := range map[string]struct {
		status cluster.Status
		want   string
	}{
		"up": {up, `Cluster     demo, up
Kubernetes  v1.34.4, containers, since 1m30s
Server      https://10.200.0.2:6443
Kubeconfig  /state/demo/kubeconfig
Nodes       1 of 1 ready
Pods        2 of 3 ready
Memory      360 MiB
Disk        cluster 262 MiB, programs 1.2 GiB, images 37 MiB

COMPONENT       PID  MEMORY  STATE
etcd            7    24 MiB  ready
kubelet         8    19 MiB  not ready
kube-proxy      -    0 MiB   waits for others
kube-scheduler  -    0 MiB   ended by signal SIGKILL
`},
		"broken": {broken, `Cluster     demo, broken: its processes have ended
Kubernetes  v1.34.4, kwok, since 1m30s
Server      https://127.0.0.1:41737
Kubeconfig  /state/demo/kubeconfig
Disk        cluster 0 MiB, programs 0 MiB, images 0 MiB
`},
		"down": {cluster.Status{Name: "demo", State: cluster.Down}, `Cluster  demo, down
Disk     cluster 0 MiB, programs 0 MiB, images 0 MiB
`},
	} {
		var got bytes.Buffer
		if err := render(&got, c.status, "text", created.Add(90*time.Second)); err != nil || got.String() != c.want {
			t.Errorf("%s: %v, got\n%swant\n%s", name, err, got.String(), c.want)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown command": {[]string{"start"}, `refit-testbed: unknown command "start" for "refit-testbed"`},
		"unknown mode":    {[]string{"up", "--mode", "docker"}, `refit-testbed: --mode "docker": one of containers, kwok`},
		"too many nodes":  {[]string{"up", "--mode", "kwok", "--nodes", "50000"}, "refit-testbed: --nodes 50000: between 1 and 5000"},
		"nodes of containers": {
			[]string{"up", "--nodes", "3"},
			"refit-testbed: --nodes: a cluster with containers has one node: add --mode kwok",
		},
		"port": {[]string{"up", "--api-port", "70000"}, "refit-testbed: --api-port 70000: between 1 and 65535"},
		"form": {[]string{"status", "-o", "yaml"}, `refit-testbed: --output "yaml": one of text, json`},
		"name": {[]string{"down", "--name", "../x"}, `refit-testbed: name of a cluster "../x": it has to be`},
		"nothing to build": {
			[]string{"build", "postgres"}, `refit-testbed: there is nothing called "postgres" to build: one of kubernetes,`,
		},
		"no checkout": {
			[]string{"up", "--mode", "kwok", "--source", "/nowhere"},
			`refit-testbed: find the sources of clusters in "/nowhere/build": run refit-testbed from a checkout of Refit`,
		},
	} {
		home := t.TempDir()
		var out, said bytes.Buffer
		streams := Streams{In: strings.NewReader(""), Out: &out, Err: &said}
		code := Run(t.Context(), c.args, streams, func(name string) string { return map[string]string{"HOME": home}[name] })
		if code != 1 || !strings.HasPrefix(said.String(), c.want) || strings.Count(said.String(), "\n") != 1 {
			t.Errorf("%s: code %d, said %q", name, code, said.String())
		}
	}
}

func TestShowFollows(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "x.log")
	if err := os.WriteFile(name, []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	read := &removes{t: t, name: name}
	if err := show(t.Context(), file, read, true); err != nil || read.seen.String() != "one\ntwo\n" {
		t.Errorf("got %q, %v", read.seen.String(), err)
	}
}

// removes adds to a log when it has seen the first of it, and then removes it.
type removes struct {
	seen strings.Builder
	t    *testing.T
	name string
}

func (r *removes) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "one") {
		file, err := os.OpenFile(r.name, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			r.t.Fatal(err)
		}
		_, err = file.WriteString("two\n")
		if err != nil || file.Close() != nil {
			r.t.Fatal(err)
		}
	} else if err := os.Remove(r.name); err != nil {
		r.t.Fatal(err)
	}
	return r.seen.Write(p)
}
