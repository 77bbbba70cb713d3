package service

import (
	"path/filepath"
	"slices"

	"github.com/refitproject/refit/internal/yamldoc"
)

// kindKubernetes is the kind of target that is a cluster.
const kindKubernetes = "kubernetes"

// contexts lists the contexts that a person can choose from.
func (iv *Interview) contexts() []string { return Contexts(iv.getenv) }

// Contexts lists the contexts of the files that KUBECONFIG names, or of
// ~/.kube/config, the current one first. What cannot be read has none. getenv gives
// variables of the environment.
func Contexts(getenv func(name string) string) []string {
	files := filepath.SplitList(getenv("KUBECONFIG"))
	if len(files) == 0 {
		home := getenv("HOME")
		if home == "" {
			return nil
		}
		files = []string{filepath.Join(home, ".kube", "config")}
	}
	var names []string
	current := ""
	for _, file := range files {
		data, err := readFile(file, MaxFileSize)
		if err != nil {
			continue
		}
		root, _ := yamldoc.Parse(file, data, yamldoc.DefaultLimits())
		if name := nodeText(root.Get("current-context")); current == "" {
			current = name
		}
		if list := root.Get("contexts"); list != nil {
			for _, item := range list.Items {
				if name := nodeText(item.Get("name")); name != "" && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	if i := slices.Index(names, current); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, current)
	}
	return names
}
