package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Refit is the program of the checkout, among those that images have.
const Refit = "refit/refit"

// keepOld is how long programs of earlier checkouts stay.
const keepOld = 24 * time.Hour

// Checkout builds Refit as it is in the checkout and returns its file. Its
// folder is named after what is in it: the same program is the same file. Go's
// own cache is what makes this quick.
func (b Builder) Checkout(ctx context.Context) (string, error) {
	if err := os.MkdirAll(b.Cache, 0o755); err != nil {
		return "", fmt.Errorf("build refit: %w", err)
	}
	temp, err := os.MkdirTemp(b.Cache, "refit.new-")
	if err != nil {
		return "", fmt.Errorf("build refit: %w", err)
	}
	defer os.RemoveAll(temp) //nolint:errcheck // It was renamed, or only takes up room.
	out := filepath.Join(temp, "refit")
	cmd := exec.CommandContext(ctx, "nice", "-n", "10", "go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly",
		"-ldflags", "-s -w -X main.version=testbed", "-o", out, "./cmd/refit")
	cmd.Dir = filepath.Join(b.Source, "..", "..", "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=", "GOEXPERIMENT=")
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGTERM}
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build refit: %w: %s", cause(ctx, err), last(string(text)))
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return "", fmt.Errorf("build refit: %w", err)
	}
	sum := sha256.Sum256(text)
	dir := filepath.Join(b.Cache, "refit-"+hex.EncodeToString(sum[:])[:12])
	now := time.Now()
	if err := os.Chtimes(dir, now, now); err == nil {
		return filepath.Join(dir, "refit"), nil
	}
	b.removeOld(now.Add(-keepOld))
	err = errors.Join(os.Chmod(temp, 0o755), os.Rename(temp, dir))
	if errors.Is(err, os.ErrExist) {
		err = nil // Somebody else was quicker.
	}
	if err != nil {
		return "", fmt.Errorf("build refit: %w", err)
	}
	return filepath.Join(dir, "refit"), nil
}

// removeOld removes the programs of checkouts that were last wanted before a
// time.
func (b Builder) removeOld(before time.Time) {
	old, err := filepath.Glob(filepath.Join(b.Cache, "refit?*"))
	if err != nil {
		return // The pattern is good.
	}
	for _, dir := range old {
		if info, err := os.Stat(dir); err == nil && info.ModTime().Before(before) {
			_ = os.RemoveAll(dir) // It only takes up room.
		}
	}
}
