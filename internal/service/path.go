package service

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/versions"
)

// mostPaths is among how many paths one over given versions is looked for.
const mostPaths = 64

// choosePath finds the version path of a plan: from the installed version to
// the wanted one, over the given ones. It is nil for a procedure without a
// version graph.
func choosePath(proc *procedure.Procedure, scope expr.Scope, to string, via []string) (*versions.Path, error) {
	if proc.Graph == nil {
		if to != "" || len(via) > 0 {
			return nil, usageErrorf("the procedure %q has no version graph", proc.Document.Metadata.Name.Value).
				suggest("leave --to and --via out")
		}
		return nil, nil //nolint:nilnil // without a graph there is no path, which is no error
	}
	from, err := installedVersion(proc, scope)
	if err != nil {
		return nil, err
	}
	if to == "" {
		if to, err = onlyGoal(proc.Graph, from); err != nil {
			return nil, err
		}
	}
	limit := 1
	if len(via) > 0 {
		limit = mostPaths
	}
	paths, err := proc.Graph.Paths(from, to, limit)
	if err != nil {
		return nil, pathError(err)
	}
	return over(proc.Graph, paths, via)
}

// installedVersion evaluates which version is installed, and finds it in the
// graph.
func installedVersion(proc *procedure.Procedure, scope expr.Scope) (string, error) {
	value, err := proc.From.Eval(scope)
	if err != nil {
		return "", fmt.Errorf("find the installed version: %w", err)
	}
	from, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("find the installed version: %s gives no text", proc.From.Pos())
	}
	canonical, ok := proc.Graph.Find(from)
	if ok {
		return canonical, nil
	}
	if _, err := proc.Graph.Paths(from, from, 1); err != nil {
		return "", usageErrorf("the installed version is not known: %s", err)
	}
	return from, nil
}

// onlyGoal returns the version to upgrade to when there is no choice.
func onlyGoal(g *versions.Graph, from string) (string, error) {
	var goals []string
	for _, v := range g.Versions() {
		if v.Version == from {
			continue
		}
		if paths, err := g.Paths(from, v.Version, 1); err == nil && len(paths) > 0 {
			goals = append(goals, v.Version)
		}
	}
	switch len(goals) {
	case 0:
		return "", usageErrorf("no version can be reached from the installed one, %s", from).
			suggest("give --to VERSION to see why not")
	case 1:
		return goals[0], nil
	default:
		const most = 12
		list, more := goals, ""
		if len(goals) > most {
			list, more = goals[len(goals)-most:], fmt.Sprintf(" and %d older ones", len(goals)-most)
		}
		return "", usageErrorf("the installed version is %s, and several can be reached from it", from).
			suggest("give --to with one of %s%s", strings.Join(list, ", "), more)
	}
}

// over returns the first of the paths that passes all given versions.
func over(g *versions.Graph, paths []versions.Path, via []string) (*versions.Path, error) {
	wanted := make([]string, len(via))
	for i, v := range via {
		canonical, ok := g.Find(v)
		if !ok {
			_, err := g.Paths(v, v, 1)
			return nil, pathError(err)
		}
		wanted[i] = canonical
	}
	for i := range paths {
		passed := []string{paths[i].From}
		for _, h := range paths[i].Hops {
			passed = append(passed, h.To)
		}
		if !slices.ContainsFunc(wanted, func(v string) bool { return !slices.Contains(passed, v) }) {
			return &paths[i], nil
		}
	}
	return nil, usageErrorf("no path from %s to %s passes %s", paths[0].From, paths[0].To, strings.Join(via, " and ")).
		suggest("see the paths with refit procedures paths")
}

// pathError makes what the graph says about versions a mistake of the person
// who asked.
func pathError(err error) error {
	var unknown *versions.UnknownVersionError
	var none *versions.NoPathError
	if errors.As(err, &unknown) || errors.As(err, &none) {
		return &UsageError{Message: err.Error()}
	}
	return err
}
