package accept

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/test/cluster/internal/kube"
)

// shared is the name of the cluster that most tests use at once.
const shared = "accept"

// bed runs refit-testbed.
type bed struct {
	program string
	// kubeconfig is what KUBECONFIG says.
	kubeconfig string
}

// newBed returns the program that REFIT_TESTBED names, else builds it. The state
// is where it always is: people see what tests do.
func newBed(dir string) (bed, error) {
	if program := os.Getenv("REFIT_TESTBED"); program != "" {
		return bed{program: program}, nil
	}
	program := filepath.Join(dir, "refit-testbed")
	cmd := exec.Command("go", "build", "-o", program, "..")
	if text, err := cmd.CombinedOutput(); err != nil {
		return bed{}, fmt.Errorf("build refit-testbed: %w: %s", err, text)
	}
	return bed{program: program}, nil
}

// run runs a command and returns what it wrote to stdout and to stderr.
func (b bed) run(ctx context.Context, args ...string) (out, said string, err error) {
	cmd := exec.CommandContext(ctx, b.program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "KUBECONFIG="+b.kubeconfig)
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// the is what TestMain sets up once.
var the struct {
	bed    bed
	client *kube.Client
}

func TestMain(m *testing.M) {
	if os.Getenv("REFIT_CLUSTER") == "" {
		fmt.Println("accept: the tests of a real cluster run with REFIT_CLUSTER=1: see make cluster-accept")
		return
	}
	code, err := setup(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "accept:", err)
		code = 1
	}
	os.Exit(code)
}

func setup(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "accept")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if the.bed, err = newBed(dir); err != nil {
		return 1, err
	}
	if os.Getuid() != 0 {
		fmt.Println("accept: containers need root: only what needs none is tested")
		return m.Run(), nil
	}
	ctx := context.Background()
	if _, said, err := the.bed.run(ctx, "up", "--name", shared); err != nil {
		return 1, errors.New(said)
	}
	defer func() {
		if os.Getenv("REFIT_CLUSTER") == "keep" {
			return
		}
		if _, said, failed := the.bed.run(ctx, "down", "--name", shared); failed != nil {
			err = errors.Join(err, errors.New(said))
		}
	}()
	file, said, err := the.bed.run(ctx, "kubeconfig", "--name", shared)
	if err != nil {
		return 1, errors.New(said)
	}
	if the.client, err = kube.Load(strings.TrimSpace(file)); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// root skips what cannot be without root.
func root(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("REFIT_TEST") == "all" {
			t.Fatal("containers need root")
		}
		t.Skip("containers need root")
	}
}

// within asks until the answer is yes, and fails the test with the last reason
// when it is not within five minutes.
func within(t *testing.T, what string, ask func(context.Context) (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for {
		ok, why := ask(ctx)
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %s", what, why)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
