package node

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// Setup is what a node is made of.
type Setup struct {
	// Hostname is the name of the node.
	Hostname string  `json:"hostname"`
	Network  Network `json:"network"`
	// Folders maps a folder of the machine to the one that stands in its place.
	Folders map[string]string `json:"folders"`
	// Scratch is a folder for small files.
	Scratch string `json:"scratch"`
	// Cgroup is the folder of control groups of the pods, below the root of
	// every hierarchy.
	Cgroup string `json:"cgroup"`
}

// Network is the addresses of a cluster. All are of one network of its own, so
// that the machine needs one route.
type Network struct {
	// All holds the others.
	All netip.Prefix `json:"all"`
	// Link is the two ends of the cable: Host outside, Node inside.
	Host netip.Prefix `json:"host"`
	Node netip.Prefix `json:"node"`
	// Pods and Services are reachable from the machine through Node.
	Pods     netip.Prefix `json:"pods"`
	Services netip.Prefix `json:"services"`
}

// kernelValues are what a kubelet sets for all of the machine when it finds
// something else. They are shown to it instead of set.
func kernelValues() map[string]string {
	return map[string]string{
		"/proc/sys/vm/overcommit_memory":      "1",
		"/proc/sys/vm/panic_on_oom":           "0",
		"/proc/sys/kernel/panic":              "10",
		"/proc/sys/kernel/panic_on_oops":      "1",
		"/proc/sys/kernel/keys/root_maxkeys":  "1000000",
		"/proc/sys/kernel/keys/root_maxbytes": "25000000",
	}
}

// Enter makes this process the first of the node. It has to be the only one in
// fresh namespaces of processes, mounts, network and hostname.
func (s Setup) Enter() error {
	if err := unix.Sethostname([]byte(s.Hostname)); err != nil {
		return fmt.Errorf("set the name of the node: %w", err)
	}
	if err := s.mounts(); err != nil {
		return err
	}
	return s.Network.enter()
}

func (s Setup) mounts() error {
	steps := []mount{
		// What is mounted here stays here, what pods mount reaches pods.
		{to: "/", flags: unix.MS_REC | unix.MS_PRIVATE},
		{to: "/", flags: unix.MS_REC | unix.MS_SHARED},
		{from: "proc", to: "/proc", kind: "proc", flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
		{from: "tmpfs", to: "/run", kind: "tmpfs", flags: unix.MS_NOSUID | unix.MS_NODEV, data: "mode=755"},
	}
	for to, from := range s.Folders {
		if err := os.MkdirAll(from, 0o755); err != nil {
			return fmt.Errorf("make a folder of the node: %w", err)
		}
		steps = append(steps, mount{from: from, to: to, flags: unix.MS_BIND})
	}
	for to, value := range kernelValues() {
		if _, err := os.Stat(to); errors.Is(err, os.ErrNotExist) {
			continue
		}
		from := filepath.Join(s.Scratch, filepath.Base(to))
		if err := os.MkdirAll(s.Scratch, 0o755); err != nil {
			return fmt.Errorf("make a folder of the node: %w", err)
		}
		if err := os.WriteFile(from, []byte(value+"\n"), 0o644); err != nil {
			return fmt.Errorf("write a value of the kernel: %w", err)
		}
		steps = append(steps, mount{from: from, to: to, flags: unix.MS_BIND})
	}
	for _, m := range steps {
		if err := unix.Mount(m.from, m.to, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %q in the node: %w", m.to, err)
		}
	}
	return nil
}

type mount struct {
	from, to, kind string
	flags          uintptr
	data           string
}

// Networks lists the networks that a cluster can have, best first.
func Networks() []Network {
	var all []Network
	for i := range 50 {
		n := byte(200 + i)
		all = append(all, Network{
			All:      netip.PrefixFrom(netip.AddrFrom4([4]byte{10, n, 0, 0}), 16),
			Host:     netip.PrefixFrom(netip.AddrFrom4([4]byte{10, n, 0, 1}), 24),
			Node:     netip.PrefixFrom(netip.AddrFrom4([4]byte{10, n, 0, 2}), 24),
			Pods:     netip.PrefixFrom(netip.AddrFrom4([4]byte{10, n, 64, 0}), 18),
			Services: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, n, 128, 0}), 18),
		})
	}
	return all
}

// Choose returns the first network of Networks that overlaps none of used.
func Choose(used []netip.Prefix) (Network, error) {
	for _, n := range Networks() {
		if !slices.ContainsFunc(used, n.All.Overlaps) {
			return n, nil
		}
	}
	return Network{}, errors.New("choose a network: all of 10.200.0.0/16 to 10.249.0.0/16 are in use here: " +
		"remove a route or a cluster")
}

// At returns the nth address of a network.
func At(p netip.Prefix, n int) netip.Addr {
	addr := p.Masked().Addr()
	for range n {
		addr = addr.Next()
	}
	return addr
}
