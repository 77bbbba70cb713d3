package component

import (
	"encoding/json"
	"flag"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/test/cluster/internal/node"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func spec(mode Mode) Spec {
	s := Spec{
		Name: "demo", Mode: mode, Kubernetes: "v1.34.4", Dir: "/state/demo", Network: node.Networks()[0],
		Ports: UsualPorts(), Nodes: 3, Programs: map[string]string{}, Plugins: "/usr/lib/cni", Pause: "localhost/refit/pause:1",
	}
	if mode == Kwok {
		s.Network, s.Ports.Kwok = node.Network{}, 10247
	}
	for _, name := range append(Needs(mode), "containerd") {
		s.Programs[name] = "/cache/" + name
	}
	return s
}

func TestPlan(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{Containers, Kwok} {
		s := spec(mode)
		text, err := json.MarshalIndent(s.Plan(), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got := string(text) + "\n"
		for _, name := range slices.Sorted(maps.Keys(s.Files())) {
			got += "\n== " + name + "\n" + s.Files()[name]
		}
		golden := filepath.Join("testdata", string(mode)+".golden")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got), go test -update rewrites it:\n%s", mode, diff)
		}
	}
}

// Every file that a component is given is written, and every program known.
func TestPlanIsWhole(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{Containers, Kwok} {
		s := spec(mode)
		there := map[string]bool{s.path("pki", "sa.pub"): true}
		for _, name := range []string{"ca", "front-proxy-ca", "front-proxy-client", "sa"} {
			there[s.cert(name)], there[s.key(name)] = true, true
		}
		for name := range s.Subjects() {
			there[s.cert(name)], there[s.key(name)] = true, true
		}
		for name, k := range s.Kubeconfigs() {
			there[name] = true
			if !there[k.Cert] || !there[k.CA] {
				t.Errorf("%s: kubeconfig %s: nobody writes %s", mode, name, k.Cert)
			}
		}
		for name := range s.Files() {
			there[name] = true
		}
		names := map[string]bool{}
		for _, c := range s.Plan().Components {
			names[c.Name] = true
			if c.Path == "" {
				t.Errorf("%s: %s has no program", mode, c.Name)
			}
			for _, arg := range c.Args {
				_, value, _ := strings.Cut(arg, "=")
				if ext := filepath.Ext(value); strings.HasPrefix(value, s.Dir) && ext != "" && !there[value] {
					t.Errorf("%s: %s: nobody writes %s", mode, c.Name, value)
				}
			}
		}
		for _, c := range s.Plan().Components {
			for _, after := range c.After {
				if !names[after] {
					t.Errorf("%s: %s waits for %s, which is not there", mode, c.Name, after)
				}
			}
		}
	}
}

// Nothing of a cluster listens where others could reach it.
func TestListensInside(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{Containers, Kwok} {
		s := spec(mode)
		inside := []string{"127.0.0.1", s.Address().String()}
		for _, c := range s.Plan().Components {
			for _, arg := range c.Args {
				name, value, _ := strings.Cut(arg, "=")
				if !strings.Contains(name, "address") && !strings.HasPrefix(name, "--listen") {
					continue
				}
				host := strings.TrimPrefix(value, "https://")
				host, _, _ = strings.Cut(host, ":")
				if _, err := netip.ParseAddr(host); err == nil && !slices.Contains(inside, host) {
					t.Errorf("%s: %s %s", mode, c.Name, arg)
				}
			}
		}
	}
}
