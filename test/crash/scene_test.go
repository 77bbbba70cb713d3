package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/local"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// programs are the driver, the effect program and refit itself, built once.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "refit-crash-bin-")
	if err != nil {
		return "", err
	}
	for name, from := range map[string]string{"driver": "./driver", "effect": "./effect", "refit": "../../cmd/refit"} {
		out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), from).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := programs(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// scene is one run with its world.
type scene struct {
	tb     testing.TB
	seed   uint64
	r      *rand.Rand
	id     string
	dir    string
	state  string
	driver string
	effect string
	plan   *plan.Plan
	// dead are the effect programs that the scene has killed.
	dead map[int]bool
	// kills counts by what the driver was killed at.
	kills map[string]int
}

// scenes counts the scenes of this process: programs are found by the id of the
// run.
var scenes atomic.Int64

// newScene lays out a world in a folder; the plan comes later.
func newScene(tb testing.TB, seed uint64) *scene {
	tb.Helper()
	bin, err := programs()
	if err != nil {
		tb.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "refit-crash-") //nolint:usetesting // What a violation leaves is evidence and stays.
	if err != nil {
		tb.Fatal(err)
	}
	s := &scene{
		tb: tb, seed: seed, r: rand.New(rand.NewPCG(seed, 2)), id: fmt.Sprintf("c%d-%d-%d", seed, os.Getpid(), scenes.Add(1)),
		dir: filepath.Join(dir, "world"), state: filepath.Join(dir, "state"),
		driver: filepath.Join(bin, "driver"), effect: filepath.Join(bin, "effect"),
		dead: map[int]bool{}, kills: map[string]int{},
	}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	return s
}

// remove removes what the scene has left, unless it is evidence.
func (s *scene) remove() { _ = os.RemoveAll(filepath.Dir(s.dir)) }

// end is how a driver has ended.
type end struct {
	killed bool
	status run.Status
	code   int
	stderr string
}

// command returns a driver that was not started.
func (s *scene) command(ctx context.Context, linger string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, s.driver, s.state, filepath.Join(s.dir, "plan.json"), s.dir, s.id, linger)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
	return cmd, &stdout, &stderr
}

// slowest is how long a driver may take that nobody kills.
const slowest = 3 * time.Minute

// drive starts a driver and waits for it. It is killed at a moment, or after some
// time, or not at all.
func (s *scene) drive(at string, after time.Duration) (end, error) {
	ctx, cancel := context.WithTimeout(context.Background(), slowest)
	defer cancel()
	cmd, stdout, stderr := s.command(ctx, "1m")
	if at != "" {
		cmd.Env = append(cmd.Env, "REFIT_CRASH_AT="+at)
	}
	if err := cmd.Start(); err != nil {
		return end{}, err
	}
	if after > 0 {
		defer time.AfterFunc(after, func() { _ = cmd.Process.Kill() }).Stop()
	}
	err := cmd.Wait()
	if ctx.Err() != nil {
		return end{}, fmt.Errorf("a driver did not end within %s", slowest)
	}
	return ended(cmd, err, stdout, stderr)
}

func ended(cmd *exec.Cmd, err error, stdout, stderr *bytes.Buffer) (end, error) {
	e := end{code: cmd.ProcessState.ExitCode(), stderr: strings.TrimSpace(stderr.String())}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		e.killed = ws.Signal() == syscall.SIGKILL
		if !e.killed {
			return e, fmt.Errorf("a driver was ended by %s: %s", ws.Signal(), e.stderr)
		}
		return e, nil
	}
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return e, err
	}
	if e.code == 0 {
		return e, json.Unmarshal(stdout.Bytes(), &e.status)
	}
	return e, nil
}

// killPrograms kills everything that was started for the run, as when the machine
// dies and not the driver alone.
func (s *scene) killPrograms() {
	for {
		found := s.programs()
		for _, pid := range found {
			s.dead[pid] = true
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if len(found) == 0 {
			return
		}
		<-time.After(time.Millisecond)
	}
}

// programs finds what was started for the run and goes on.
func (s *scene) programs() []int {
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		s.tb.Fatal(err)
	}
	var pids []int
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(data, []byte("REFIT_KEY="+s.id+"/")) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// nobody carries out nothing: the judge and the persons only read and ask.
type nobody struct{}

func (nobody) Carry(context.Context, engine.Assignment) (run.Body, error) {
	return nil, errors.New("nothing is carried out here")
}

// look opens the state folder beside the drivers. form is the one of the driver, or
// another, which believes no checkpoint.
func (s *scene) look(form string) (*local.Engine, error) {
	return local.Open(context.Background(), local.Options{
		Dir: s.state, Worker: nobody{}, Now: time.Now, Host: "here", Form: form,
	})
}

// people do what persons would: they look at the ledger and settle what is in
// doubt, and pass the gates. It tells whether there was anything to do.
func (s *scene) people() (bool, error) {
	e, err := s.look("crash")
	if err != nil {
		return false, err
	}
	defer func() { _ = e.Close() }()
	ctx := context.Background()
	snap, err := e.Load(ctx, s.id)
	if err != nil {
		return false, err
	}
	who := run.Who{By: "ada", Reason: "looked at the ledger"}
	var asks []run.Body
	ledger := s.ledger()
	for op := range snap.State.Operations() {
		if op.Life != run.InDoubt {
			continue
		}
		there := ledger.balance(effectName(op.Ref)) > 0
		verdict := run.VerdictRedo
		if there == (op.What == run.Do || op.What == run.Retake) {
			verdict = run.VerdictDone
		}
		asks = append(asks, &run.Settled{Who: who, Op: op.Ref, Verdict: verdict})
	}
	for _, g := range snap.State.Gates() {
		asks = append(asks, &run.Approved{
			Who: who, Gate: g.Gate, Digest: g.Digest, Facts: g.Facts, Selection: g.Terms.Selection,
		})
	}
	for _, body := range asks {
		if err := e.Request(ctx, s.id, body); err != nil {
			return true, fmt.Errorf("ask for %T: %w", body, err)
		}
	}
	return len(asks) > 0, nil
}

// effectName is the name of an operation in the ledger.
func effectName(op run.Ref) string {
	name := op.Stage + "." + strings.TrimPrefix(op.Step, "m-")
	if op.Member != "" {
		name += "." + op.Member
	}
	return name
}

// blow is one kill: at a moment for the nth time, or after some time.
type blow struct {
	name  string
	at    string
	after time.Duration
	// all kills the programs of the steps too.
	all bool
}

// blow picks how to kill next. span is about how far a driver may come.
func (s *scene) blow(span int) blow {
	moments := []local.Moment{local.BeforeAppend, local.AfterAppend, local.BeforeCommand, local.AfterCommand}
	b := blow{all: s.r.IntN(3) == 0}
	if k := s.r.IntN(len(moments) + 1); k < len(moments) {
		b.name = string(moments[k])
		b.at = fmt.Sprintf("%s:%d", moments[k], 1+s.r.IntN(span))
		return b
	}
	b.name = "random"
	b.after = time.Duration(5+s.r.IntN(40*span)) * time.Millisecond
	return b
}

// carryOut drives the run to its end over at most kills kills.
func (s *scene) carryOut(kills, span int) error {
	idle := 0
	for {
		b := blow{}
		if kills > 0 {
			b = s.blow(span)
		}
		e, err := s.drive(b.at, b.after)
		switch {
		case err != nil:
			return err
		case e.killed:
			s.kills[b.name]++
			kills--
			if b.all {
				s.killPrograms()
			}
			continue
		case e.code != 0:
			return fmt.Errorf("a driver has ended with %d: %s", e.code, e.stderr)
		case e.status.Final():
			return nil
		}
		did, err := s.people()
		if err != nil {
			return err
		}
		if did {
			idle = 0
			continue
		}
		if idle++; idle > 3 {
			return fmt.Errorf("the run is %s and nobody can do anything", e.status)
		}
	}
}
