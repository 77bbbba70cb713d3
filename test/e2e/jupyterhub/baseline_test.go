package jupyterhub

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pairs is how often the upgrade is carried out in each way; make bench-jupyterhub sets it.
var pairs = flag.Int("pairs", 0, "how many pairs of upgrades TestBaseline measures; 0 measures none")

// prober is the program of test/e2e/prober.
const prober = "REFIT_PROBER"

// measured is what one upgrade took: downtime by component, and from its begin to its
// end, in seconds.
type measured struct {
	down map[string]float64
	wall float64
}

// TestBaseline carries the upgrade out by Refit and by the script of what people type, in
// turn, while a process of its own asks what users would, and prints both side by side.
func TestBaseline(t *testing.T) {
	if *pairs == 0 {
		t.Skip("a measurement: make bench-jupyterhub")
	}
	// Goals: how much of the hub's downtime with the script it may be.
	for _, c := range []struct {
		kind string
		goal float64
	}{{postgres, 0.5}, {sqlite, 1.0}} {
		all := map[string][]measured{}
		for n := range *pairs {
			ways := []string{"refit", "script"}
			if n%2 == 1 {
				slices.Reverse(ways) // Whoever comes second may find something warm.
			}
			for _, way := range ways {
				t.Run(fmt.Sprintf("%s/%d/%s", c.kind, n+1, way), func(t *testing.T) {
					all[way] = append(all[way], newSite(t, c.kind, middle).measure(way))
				})
			}
		}
		if t.Failed() {
			return
		}
		for _, what := range []string{"hub", "server of ada", "wall"} {
			ours, theirs := medianOf(all["refit"], what), medianOf(all["script"], what)
			line := fmt.Sprintf("%-10s %-14s refit %7.2f s   script %7.2f s", c.kind, what, ours, theirs)
			switch what {
			case "hub":
				line += fmt.Sprintf("   ratio %.2f, goal %.2f", ours/theirs, c.goal)
				if ours > c.goal*theirs {
					line += " MISSED"
					t.Fail()
				}
			case "server of ada":
				line += "   goal 0 s"
				if ours > 0 {
					line += " MISSED"
					t.Fail()
				}
			default:
				line += fmt.Sprintf("   ratio %.2f", ours/theirs)
			}
			fmt.Println(line)
		}
	}
}

// measure carries the upgrade out in one of the ways.
func (s *site) measure(way string) measured {
	s.t.Helper()
	before := s.work()
	var run func()
	switch way {
	case "refit":
		digest := s.plan()
		run = func() { s.refit.Must(exitDone, "apply", "plan.json", "--digest", digest, "--run", s.run) }
	default:
		run = s.script
	}
	// The version of the server of a user is told to everybody: no hub is asked who it is.
	probe := exec.CommandContext(s.t.Context(), os.Getenv(prober), "-token", token,
		"hub="+s.url+"/hub/health", "server of ada="+s.url+"/user/ada/api")
	var out bytes.Buffer
	probe.Stdout, probe.Stderr = &out, os.Stderr
	if err := probe.Start(); err != nil {
		s.t.Fatalf("start %q, which %s names: %v", os.Getenv(prober), prober, err)
	}
	began := time.Now()
	run()
	m := measured{wall: time.Since(began).Seconds(), down: map[string]float64{}}
	s.is(newest, before)
	if err := probe.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := probe.Wait(); err != nil {
		s.t.Fatal(err)
	}
	var results map[string]struct {
		Down             float64
		Outages, Answers int
	}
	if err := json.Unmarshal(out.Bytes(), &results); err != nil {
		s.t.Fatalf("%v: %s", err, out.String())
	}
	for name, r := range results {
		if r.Answers == 0 {
			s.t.Fatalf("%s never answered", name)
		}
		m.down[name] = r.Down
	}
	fmt.Printf("%s %-6s hub %.2f s, server of ada %.2f s, wall %.1f s\n",
		s.kind, way, m.down["hub"], m.down["server of ada"], m.wall)
	return m
}

// script does what the page says, by the commands that it has.
func (s *site) script() {
	s.t.Helper()
	script, err := filepath.Abs("../../../hack/baseline/jupyterhub.sh")
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.t.Context(), script)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.Kubeconfig, "HELM="+os.Getenv("REFIT_HELM3"), "NAMESPACE="+s.Name,
		"RELEASE="+release, "CHART="+chart(newest.chart), "VALUES="+filepath.Join(s.dir, "values.yaml"),
		"KIND="+s.kind, "DB_PASSWORD="+password, "IMAGE=localhost/refit/jupyterhub:"+newest.hub)
	if text, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, text)
	}
}

// medianOf is the median of one thing that was measured.
func medianOf(list []measured, what string) float64 {
	var values []float64
	for _, m := range list {
		if strings.HasPrefix(what, "wall") {
			values = append(values, m.wall)
			continue
		}
		values = append(values, m.down[what])
	}
	slices.Sort(values)
	n := len(values)
	if n%2 == 0 {
		return (values[n/2-1] + values[n/2]) / 2
	}
	return values[n/2]
}
