package versions

import (
	"testing"
)

// TestLeadsAgreeWithPaths checks that a lead is usable if and only if a path
// of this one hop exists.
func TestLeadsAgreeWithPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"charmed-kubernetes", "jupyterhub", "kubeflow", "minio", "pachyderm"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := loadFile(t, name+".yaml")
			for _, v := range g.Versions() {
				usable := map[string]bool{}
				for _, lead := range g.Leads(v.Version) {
					switch lead.Kind {
					case Upgrade, Waypoint:
						usable[lead.To] = true
					case Migration, Forbidden:
						if lead.Why == "" {
							t.Errorf("%s → %s is %s without a reason", v.Version, lead.To, lead.Kind)
						}
					}
				}
				for _, to := range g.Versions() {
					if got, want := usable[to.Version], hasOneHop(g, v.Version, to.Version); got != want {
						t.Errorf("lead %s → %s usable is %t, a path of one hop exists is %t", v.Version, to.Version, got, want)
					}
				}
			}
		})
	}
	if leads := loadFile(t, "minio.yaml").Leads("nobody knows"); leads != nil {
		t.Errorf("leads of an unknown version are %v, want none", leads)
	}
}

func hasOneHop(g *Graph, from, to string) bool {
	paths, err := g.Paths(from, to, 200)
	if err != nil {
		return false
	}
	for _, p := range paths {
		if len(p.Hops) == 1 {
			return true
		}
	}
	return false
}
