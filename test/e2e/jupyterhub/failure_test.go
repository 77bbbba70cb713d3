package jupyterhub

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/test/e2e/harness"
)

// place is where a run is killed: some time after a line with a text was printed.
type place struct {
	line  string
	after time.Duration
}

// places are in the order in which a run comes there. The same line comes again when a
// step goes on in the next process.
func places() []place {
	if !harness.Full() {
		return []place{{"to-4.4.0/upgrade  started", 2 * time.Second}}
	}
	return []place{
		{"to-4.4.0/values  started", 0},
		{"to-4.4.0/images  started", 200 * time.Millisecond},
		{"to-4.4.0/image-version  started", 500 * time.Millisecond},
		{"to-4.4.0/stop-hub  started", 300 * time.Millisecond},
		{"to-4.4.0/save  started", 500 * time.Millisecond},
		{"to-4.4.0/save  started", time.Second},
		{"to-4.4.0/migrate  started", 2 * time.Second},
		{"to-4.4.0/upgrade  started", 300 * time.Millisecond},
		{"to-4.4.0/upgrade  started", 3 * time.Second},
		{"to-4.4.0/works  started", 2 * time.Second},
	}
}

// TestKilled kills the program with SIGKILL wherever something is under way, also inside
// of the upgrade of the release. The next process goes on each time, and in the end all is
// as if nothing had been.
func TestKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t, postgres, middle)
	before := s.work()
	digest := s.plan()
	args := []string{"apply", "plan.json", "--digest", digest, "--run", s.run}
	places, killed := places(), 0
	for at := 0; at < len(places); {
		n := s.killAt(places[at:], args...)
		args = []string{"drive", s.run}
		if n < 0 {
			break
		}
		at += n + 1
		killed++
	}
	if few := (len(places)*3 + 3) / 4; killed < few {
		t.Errorf("it was killed at %d of %d places only", killed, len(places))
	}
	t.Logf("it was killed at %d places", killed)
	s.refit.Must(exitDone, "drive", s.run)
	s.is(newest, before)
}

// killAt runs the program and kills it at the first of the places that it comes to, of
// which it returns the number, or -1 when it never came to one.
func (s *site) killAt(places []place, args ...string) int {
	s.t.Helper()
	cmd := s.refit.Command(args...)
	at := -1
	code, text := s.follow(cmd, func(line string) {
		for i, p := range places {
			if at < 0 && strings.Contains(line, p.line) {
				at = i
				time.AfterFunc(p.after, func() {
					_ = cmd.Process.Kill() // It may have ended.
				})
			}
		}
	})
	if code != killedCode {
		s.t.Logf("not killed: it ended with exit code %d\n%s", code, text)
		return -1
	}
	return at
}

// killedCode is what Go gives as the exit code of who was ended by a signal.
const killedCode = -1

// TestMigrationFails lets the migration of the schema fail in its middle: a column that
// it adds is there already. The hub stays away and nothing goes on by itself; a rollback
// brings the database of the backup back, and the hub of before serves its users.
func TestMigrationFails(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, kind, middle)
			before := s.work()
			s.sql("ALTER TABLE service_role_map ADD COLUMN managed_by_auth INTEGER")
			digest := s.plan()
			s.refit.Must(exitHalted, "apply", "plan.json", "--digest", digest, "--run", s.run)
			step, want := "migrate", "managed_by_auth"
			if kind == sqlite {
				step, want = "upgrade", "was started 5 times" // The hub migrates when it starts.
			}
			if text := unwrap(s.refit.Must(exitDone, "logs", s.run, "to-4.4.0", step)); !strings.Contains(text, want) {
				t.Errorf("the reason is not told: %s", text)
			}
			if code, answer := s.ask(t.Context(), "GET", "/hub/api/"); code == 200 {
				t.Errorf("a hub answers: %s", answer)
			}
			s.refit.Must(exitDone, "rollback", s.run, "--reason", "the migration fails")
			s.refit.Must(exitDone, "approve", s.run, "rollback", "--digest", digest)
			s.refit.Must(exitRolledBack, "drive", s.run)
			s.is(middle, before)
			s.start("bob")
		})
	}
}

// TestFullLoginsEnabledMeanwhile has somebody who starts the hub again behind Refit's back,
// while its database is being saved. Nothing is migrated under a hub that runs.
func TestFullLoginsEnabledMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSite(t, postgres, middle)
	before := s.work()
	digest := s.plan()
	started := false
	code, text := s.follow(s.refit.Command("apply", "plan.json", "--digest", digest, "--run", s.run), func(line string) {
		if !started && strings.Contains(line, "to-4.4.0/save  started") {
			started = true
			scale := &autoscalingv1.Scale{
				ObjectMeta: metav1.ObjectMeta{Name: "hub", Namespace: s.Name}, Spec: autoscalingv1.ScaleSpec{Replicas: 1},
			}
			if _, err := s.Client.AppsV1().Deployments(s.Name).UpdateScale(t.Context(), "hub", scale, metav1.UpdateOptions{}); err != nil {
				t.Error(err)
			}
		}
	})
	if code != exitHalted || !strings.Contains(unwrap(text), "somebody has started the hub again") {
		t.Errorf("exit code %d: %s", code, text)
	}
	s.refit.Must(exitDone, "rollback", s.run)
	if code, text := s.refit.Run("drive", s.run); code != exitRolledBack {
		t.Errorf("exit code %d: %s", code, text)
	}
	s.is(middle, before)
}

// follow runs the program and shows each line that it prints to see.
func (s *site) follow(cmd *exec.Cmd, see func(line string)) (code int, text string) {
	s.t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var all strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		_, _ = fmt.Fprintln(&all, lines.Text()) // A builder takes all.
		see(lines.Text())
	}
	_ = cmd.Wait() // The exit code says it.
	return cmd.ProcessState.ExitCode(), all.String()
}

// TestFullLeftPending has a helm that was killed in the middle of its own upgrade, so that the
// release is pending-upgrade. Refit says so before it touches anything; once helm has
// rolled it back, the upgrade goes its way.
func TestFullLeftPending(t *testing.T) {
	t.Parallel()
	s := newSite(t, sqlite, middle)
	before := s.work()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := s.helm.Command("upgrade", release, chart(middle.chart), "--values", "values.yaml", "--set", "debug.enabled=true", "--wait")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil {
		if list := s.helm.Must(0, "list", "--all", "--output", "yaml"); strings.Contains(list, "pending-upgrade") {
			break
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // It was killed.
	text := s.apply(exitBlocked)
	if !strings.Contains(text, "to-4.4.0/values-as-installed") || !strings.Contains(text, "is pending-upgrade since") {
		t.Errorf("it does not say that somebody's upgrade is pending: %s", text)
	}
	s.helm.Must(0, "rollback", release, "1", "--wait")
	s.answers(middle.hub)
	s.apply(exitDone)
	s.is(newest, before)
}
