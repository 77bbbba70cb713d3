package node

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	all := Networks()
	for name, c := range map[string]struct {
		used []netip.Prefix
		want netip.Prefix
	}{
		"free":       {nil, all[0].All},
		"taken":      {[]netip.Prefix{netip.MustParsePrefix("10.200.7.0/24")}, all[1].All},
		"within one": {[]netip.Prefix{netip.MustParsePrefix("10.192.0.0/11")}, all[24].All},
	} {
		got, err := Choose(c.used)
		if err != nil || got.All != c.want {
			t.Errorf("%s: got %s, want %s, %v", name, got.All, c.want, err)
		}
	}
	if _, err := Choose([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}); err == nil {
		t.Error("a network was found in 10.0.0.0/8 although all of it is taken")
	}
}

func TestNetworksHoldTheirParts(t *testing.T) {
	t.Parallel()
	for i, n := range Networks() {
		parts := []netip.Prefix{n.Host.Masked(), n.Pods, n.Services}
		for j, p := range parts {
			if !n.All.Contains(p.Addr()) || p.Bits() < n.All.Bits() {
				t.Errorf("%s does not hold %s", n.All, p)
			}
			for _, other := range parts[:j] {
				if p.Overlaps(other) {
					t.Errorf("%s overlaps %s", p, other)
				}
			}
		}
		if !n.Host.Masked().Contains(n.Node.Addr()) || n.Host.Addr() == n.Node.Addr() {
			t.Errorf("the ends of the cable: %s and %s", n.Host, n.Node)
		}
		if i > 0 && n.All.Overlaps(Networks()[i-1].All) {
			t.Errorf("%s overlaps the one before", n.All)
		}
	}
	if got := At(netip.MustParsePrefix("10.200.128.0/18"), 10).String(); got != "10.200.128.10" {
		t.Errorf("the tenth address is %s", got)
	}
}

func TestCgroup(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root makes control groups")
	}
	const name = "/refit-testbed-test/a"
	if err := MakeCgroup(name); err != nil {
		t.Fatal(err)
	}
	roots, err := hierarchies()
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range roots {
		if err := os.MkdirAll(filepath.Join(root, name, "pods", "one"), 0o755); err != nil {
			t.Errorf("%s: %v", root, err)
		}
	}
	for range 2 {
		if err := RemoveCgroup(name); err != nil {
			t.Fatal(err)
		}
	}
	for _, root := range roots {
		if _, err := os.Stat(filepath.Join(root, filepath.Dir(name))); err == nil {
			t.Errorf("%s still has it", root)
		}
	}
}
