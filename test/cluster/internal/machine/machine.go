// Package machine takes a picture of everything of a machine that a cluster could
// leave behind, so that tests can compare two.
package machine

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/refitproject/refit/test/cluster/internal/place"
	"github.com/refitproject/refit/test/cluster/internal/proc"
)

// Picture maps what was looked at to its lines, sorted.
type Picture map[string][]string

// Take looks at the machine. Processes are those that have a network other than
// this process, and those whose command line names one of words; mounts are those
// outside of the folder of temporary files, control groups those of containers. Others come and go on a machine that
// does more than one thing.
func Take(ctx context.Context, words ...string) (Picture, error) {
	p := Picture{}
	for name, look := range map[string]func() ([]string, error){
		"processes":      func() ([]string, error) { return processes(words) },
		"mounts":         mounts,
		"control groups": controlGroups,
		"kernel values":  kernelValues,
		"folders":        folders,
		"links":          command(ctx, "ip", "-o", "link"),
		"addresses":      command(ctx, "ip", "-o", "address"),
		"routes":         command(ctx, "ip", "route", "show", "table", "all"),
		"rules":          command(ctx, "ip", "rule"),
		"namespaces":     command(ctx, "ip", "netns"),
		"firewall":       firewall(ctx),
	} {
		lines, err := look()
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", name, err)
		}
		slices.Sort(lines)
		p[name] = lines
	}
	return p, nil
}

// Difference lists what is in one picture only, as "+ what: line" and "- what: line".
func Difference(before, after Picture) []string {
	var lines []string
	for name := range after {
		for _, line := range minus(after[name], before[name]) {
			lines = append(lines, "+ "+name+": "+line)
		}
		for _, line := range minus(before[name], after[name]) {
			lines = append(lines, "- "+name+": "+line)
		}
	}
	slices.Sort(lines)
	return lines
}

func minus(all, without []string) []string {
	count := map[string]int{}
	for _, line := range without {
		count[line]++
	}
	var rest []string
	for _, line := range all {
		if count[line]--; count[line] < 0 {
			rest = append(rest, line)
		}
	}
	return rest
}

func processes(words []string) ([]string, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	own := network("/proc/self")
	var lines []string
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() {
			continue
		}
		id, err := proc.Of(pid)
		if err != nil || !id.Alive() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || len(text) == 0 {
			continue // It has just ended, or is the kernel's.
		}
		line := string(bytes.ReplaceAll(bytes.TrimRight(text, "\x00"), []byte{0}, []byte{' '}))
		other := network(dir)
		if named(line, words) || (other != own && other != "") {
			lines = append(lines, fmt.Sprintf("%d %s", pid, line))
		}
	}
	return lines, nil
}

func named(line string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) })
}

// network names the network of a process, "" when it has ended.
func network(dir string) string {
	link, err := os.Readlink(filepath.Join(dir, "ns", "net"))
	if err != nil {
		return ""
	}
	return link
}

func mounts() ([]string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) > 4 && !strings.HasPrefix(fields[4], os.TempDir()) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines, nil
}

func controlGroups() ([]string, error) {
	var lines []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // Groups of others come and go while one looks.
		}
		if d.IsDir() && named(name, []string{"refit", "kube", "cri-"}) {
			lines = append(lines, name)
		}
		return nil
	})
	return lines, err
}

// kernelValues are those that kubelets and proxies are known to set.
func kernelValues() ([]string, error) {
	var lines []string
	for _, name := range []string{
		"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys",
		"kernel/keys/root_maxbytes", "net/ipv4/ip_forward", "net/netfilter/nf_conntrack_max",
		"net/netfilter/nf_conntrack_tcp_timeout_established", "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
		"net/ipv4/conf/all/route_localnet", "net/ipv4/conf/all/rp_filter", "net/bridge/bridge-nf-call-iptables",
	} {
		text, err := os.ReadFile(filepath.Join("/proc/sys", name))
		if err != nil {
			continue // This kernel does not have it.
		}
		lines = append(lines, name+" = "+strings.TrimSpace(string(text)))
	}
	return lines, nil
}

// folders lists what is directly in the folders that such programs write to.
func folders() ([]string, error) {
	var lines []string
	others := []string{"/etc/cni", "/etc/kubernetes", "/opt", "/usr/libexec", "/usr/libexec/kubernetes", "/var/lib/cni"}
	for _, dir := range append(place.Covered(), others...) {
		found, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			return nil, err
		}
		lines = append(lines, found...)
	}
	return lines, nil
}

func command(ctx context.Context, name string, args ...string) func() ([]string, error) {
	return func() ([]string, error) {
		text, err := exec.CommandContext(ctx, name, args...).Output()
		if err != nil {
			return nil, err
		}
		var lines []string
		for line := range strings.Lines(string(text)) {
			lines = append(lines, strings.TrimSpace(line))
		}
		return lines, nil
	}
}

// firewall lists the rules of iptables, without counters and times.
func firewall(ctx context.Context) func() ([]string, error) {
	list := command(ctx, "iptables-save")
	return func() ([]string, error) {
		lines, err := list()
		return slices.DeleteFunc(lines, func(s string) bool {
			return strings.HasPrefix(s, "#") || strings.HasPrefix(s, ":") || s == "COMMIT" || strings.HasPrefix(s, "*")
		}), err
	}
}
