package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// What the environment says.
const (
	// Enabled has to be set for tests to run at all; "keep" leaves the cluster up
	// that they have started.
	Enabled = "REFIT_CLUSTER"
	// Testbed is refit-testbed.
	Testbed = "REFIT_TESTBED"
	// Name is that of its cluster, "e2e" if it is not set.
	Name = "REFIT_CLUSTER_NAME"
	// Kubeconfig and Context name a cluster of somebody's own instead. It needs the
	// images loaded.
	Kubeconfig = "REFIT_TEST_KUBECONFIG"
	Context    = "REFIT_TEST_CONTEXT"
)

// cluster is what all tests of a package use.
type cluster struct {
	config *rest.Config
	client kubernetes.Interface
	// file and context are where its address and credentials stand; no context is
	// the current one.
	file, context string
	// bed is refit-testbed with the name of the cluster; nil when it is of
	// somebody's own.
	bed *bed
}

// shared is set by Main before the first test.
var shared *cluster //nolint:gochecknoglobals // TestMain has no other way to tests.

// Main runs the tests of a package against a cluster, for its TestMain. One that
// is up is used and stays; else it is brought up, and taken down after the tests.
// Unless Enabled is set, tests that want a cluster are skipped.
func Main(m *testing.M) {
	if os.Getenv(Enabled) == "" {
		os.Exit(m.Run())
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	if file := os.Getenv(Kubeconfig); file != "" {
		if shared, err = reach(file, os.Getenv(Context)); err != nil {
			return 1, err
		}
		return m.Run(), nil
	}
	b := &bed{program: os.Getenv(Testbed), name: os.Getenv(Name)}
	if b.program == "" {
		return 1, fmt.Errorf("neither %s nor %s is set: see make e2e", Testbed, Kubeconfig)
	}
	if b.name == "" {
		b.name = "e2e"
	}
	started, err := b.up(ctx)
	if err != nil {
		return 1, err
	}
	if started && os.Getenv(Enabled) != "keep" {
		defer func() {
			_, failed := b.run(ctx, "down")
			err = errors.Join(err, failed)
		}()
	}
	file, err := b.run(ctx, "kubeconfig")
	if err != nil {
		return 1, err
	}
	if shared, err = reach(strings.TrimSpace(file), ""); err != nil {
		return 1, err
	}
	shared.bed = b
	return m.Run(), nil
}

// reach makes a client from a kubeconfig; no context is the current one.
func reach(file, name string) (*cluster, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: file}, &clientcmd.ConfigOverrides{CurrentContext: name},
	).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %q: %w", file, err)
	}
	config.QPS, config.Burst = 100, 200
	// A connection that a test closes is nothing to print.
	klog.SetLogger(logr.Discard())
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &cluster{config: config, client: client, file: file, context: name}, nil
}

// bed runs refit-testbed for one cluster.
type bed struct{ program, name string }

// up brings the cluster up, and tells whether it was not before. Several packages
// may ask for one that is up, at once.
func (b *bed) up(ctx context.Context) (started bool, err error) {
	text, err := b.run(ctx, "status", "--output", "json")
	if err != nil {
		return false, err
	}
	var status struct {
		State string `json:"state"`
	}
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		return false, fmt.Errorf("read the status of cluster %q: %w", b.name, err)
	}
	if status.State == "up" {
		return false, nil
	}
	_, err = b.run(ctx, "up")
	return err == nil, err
}

// run runs a command and returns what it printed.
func (b *bed) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, b.program, append(args, "--name", b.name)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		why := strings.TrimSpace(said.String())
		return "", fmt.Errorf("refit-testbed %s: %w: %s", strings.Join(args, " "), err, why)
	}
	return out.String(), nil
}
