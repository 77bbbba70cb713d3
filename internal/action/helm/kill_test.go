package helm_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/release/common"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/helm"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

// childVariable hands the input of an upgrade to a process that is to be killed.
const childVariable = "REFIT_TEST_HELM_CHILD"

// child is what such a process is told.
type child struct {
	Dir, Key string
	Target   action.Target
	In       map[string]any
}

// upgrade is all that the process does which TestClusterUpgradeKilled kills.
func upgrade(text string) {
	var c child
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	env := action.Env{Key: c.Key, Dir: c.Dir, Now: time.Now, Target: c.Target}
	w := helm.World{Clusters: kube.NewConnector(os.Environ())}
	if _, err := helm.Upgrade(w).Run(context.Background(), env, c.In, nil); err != nil {
		panic(err)
	}
}

// TestClusterUpgradeKilled kills a process with SIGKILL within an upgrade, ten times at
// random instants. Each time it is known how far it came, and the next one goes on.
func TestClusterUpgradeKilled(t *testing.T) {
	kubetest.Needed(t)
	w, _ := family(t)
	a := helm.Upgrade(w)
	const rounds = 10
	for range rounds {
		s := newSpace(t)
		in := s.input(map[string]any{"values": map[string]any{
			"greeting": "good day", "hook": map[string]any{"command": "sleep 0.3"},
		}})
		obs, err := a.Observe(t.Context(), s.env, in)
		if err != nil || obs.Status != action.NotStarted {
			t.Fatalf("got %s (%s), %v", obs.Status, obs.Reason, err)
		}
		before := obs.Before
		instant := time.Duration(rand.IntN(6000)) * time.Millisecond
		s.killAt(t, in, instant)
		s.env.Attempted = true
		s.Within(kubetest.Patience, "the end of its hook", func(ctx context.Context) (bool, string) {
			obs, err = a.Observe(ctx, s.env, in)
			return err == nil && obs.Status != action.InProgress, obs.Reason
		})
		t.Logf("killed after %s: %s (%s)", instant, obs.Status, obs.Reason)
		switch obs.Status {
		case action.NotStarted, action.Partial:
			if _, err := a.Run(within(t, time.Minute), s.env, in, before); err != nil {
				t.Fatalf("killed after %s: %v", instant, err)
			}
		case action.Done:
		default:
			t.Fatalf("killed after %s: got %s (%s)", instant, obs.Status, obs.Reason)
		}
		if obs, err = a.Observe(t.Context(), s.env, in); err != nil || obs.Status != action.Done {
			t.Fatalf("killed after %s: got %s (%s), %v", instant, obs.Status, obs.Reason, err)
		}
		deployed := 0
		for _, r := range s.history(t) {
			if r.Info.Status == common.StatusDeployed {
				deployed++
			}
			if r.Info.Status.IsPending() {
				t.Errorf("killed after %s: revision %d is %s", instant, r.Version, r.Info.Status)
			}
		}
		if deployed != 1 {
			t.Errorf("killed after %s: %d revisions are deployed", instant, deployed)
		}
		if err := a.Undo(within(t, time.Minute), s.env, in, before); err != nil {
			t.Fatal(err)
		}
	}
}

// killAt starts a process that upgrades, and kills it.
func (s *space) killAt(t *testing.T, in map[string]any, instant time.Duration) {
	t.Helper()
	text, err := json.Marshal(child{Dir: s.env.Dir, Key: s.env.Key, Target: s.env.Target, In: in})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(instant)
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()         // as it was told to
}
