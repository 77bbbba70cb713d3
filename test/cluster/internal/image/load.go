package image

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// Runtime is a containerd that images are loaded into.
type Runtime struct {
	// Program is ctr.
	Program string
	// Socket is where it listens.
	Socket string
}

// namespace is where the kubelet looks for images.
const namespace = "k8s.io"

// Load imports archives: such as Make makes, or those of docker and OCI.
func (r Runtime) Load(ctx context.Context, archives ...string) error {
	for _, archive := range archives {
		if _, err := r.run(ctx, "images", "import", archive); err != nil {
			return fmt.Errorf("load image %q: %w", archive, err)
		}
	}
	return nil
}

// List returns the names of the images that are loaded, sorted.
func (r Runtime) List(ctx context.Context) ([]string, error) {
	text, err := r.run(ctx, "images", "list", "--quiet")
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	names := slices.DeleteFunc(strings.Fields(text), func(s string) bool { return strings.HasPrefix(s, "sha256:") })
	slices.Sort(names)
	return names, nil
}

func (r Runtime) run(ctx context.Context, args ...string) (string, error) {
	args = append([]string{"--address", r.Socket, "--namespace", namespace}, args...)
	text, err := exec.CommandContext(ctx, r.Program, args...).Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		lines := strings.Split(strings.TrimSpace(string(failed.Stderr)), "\n")
		return "", fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	if err != nil {
		return "", fmt.Errorf("start ctr: %w", err)
	}
	return string(text), nil
}
