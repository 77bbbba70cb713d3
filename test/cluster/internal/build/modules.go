package build

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Modules lists what a cluster can need, in the order in which it is built.
func (b Builder) Modules(kubernetes string) ([]Module, error) {
	k8s, err := b.kubernetes(kubernetes)
	if err != nil {
		return nil, err
	}
	modules := []Module{
		k8s,
		{Name: "etcd", Programs: map[string]string{"etcd": "go.etcd.io/etcd/server/v3"}},
		{Name: "coredns", Programs: map[string]string{"coredns": "."}},
		{
			Name:     "local-path",
			Programs: map[string]string{"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
		},
		{
			Name: "kwok", Programs: map[string]string{"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
			Flags: []string{"-X", "sigs.k8s.io/kwok/pkg/consts.Version={version}"},
		},
		{Name: "programs", Version: "v1", Programs: map[string]string{"pause": "./pause", "probe": "./probe"}},
	}
	from := map[string]string{
		"etcd": "go.etcd.io/etcd/server/v3", "coredns": "github.com/coredns/coredns",
		"local-path": "github.com/rancher/local-path-provisioner", "kwok": "sigs.k8s.io/kwok",
	}
	for i := range modules {
		m := &modules[i]
		if m.Version == "" {
			if m.Version, err = b.required(m.Name, from[m.Name]); err != nil {
				return nil, err
			}
		}
		for j := range m.Flags {
			m.Flags[j] = strings.ReplaceAll(m.Flags[j], "{version}", m.Version)
		}
	}
	return modules, nil
}

// kubernetes finds the module of a version of Kubernetes; "" is the one that the
// folder without a version has.
func (b Builder) kubernetes(version string) (Module, error) {
	dirs, err := filepath.Glob(filepath.Join(b.Source, "kubernetes*"))
	if err != nil || len(dirs) == 0 {
		return Module{}, fmt.Errorf("find the sources of clusters in %q: run refit-testbed from a checkout of Refit, "+
			"or name it with --source", b.Source)
	}
	var known []string
	for _, dir := range dirs {
		name := filepath.Base(dir)
		found, err := b.required(name, "k8s.io/kubernetes")
		if err != nil {
			return Module{}, err
		}
		number := strings.TrimPrefix(found, "v")
		known = append(known, number)
		if usual := version == "" && name == "kubernetes"; !usual && number != strings.TrimPrefix(version, "v") {
			continue
		}
		const in = "k8s.io/component-base/version."
		numbers := strings.Split(number, ".")
		m := Module{Name: name, Version: found, Programs: map[string]string{}, Flags: []string{
			"-X", in + "gitVersion=" + found, "-X", in + "gitMajor=" + numbers[0], "-X", in + "gitMinor=" + numbers[1],
		}}
		for _, program := range []string{
			"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl",
		} {
			m.Programs[program] = "k8s.io/kubernetes/cmd/" + program
		}
		return m, nil
	}
	return Module{}, fmt.Errorf("version %q of Kubernetes cannot be built here: one of %s", version,
		strings.Join(known, ", "))
}

// required reads the version of a module that the go.mod of name requires.
func (b Builder) required(name, module string) (string, error) {
	file := filepath.Join(b.Source, name, "go.mod")
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read a version: %w", err)
	}
	found := regexp.MustCompile(`(?m)^(?:require)?\s+` + regexp.QuoteMeta(module) + ` (v\S+)`).FindSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("read a version: %s does not require %s", file, module)
	}
	return string(found[1]), nil
}
