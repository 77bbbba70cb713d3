package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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

const (
	// namespace is where the kubelet looks for images.
	namespace = "k8s.io"
	// label says from what an image was made.
	label = "refit.testbed/key"
)

// Load imports images that are not there yet as they are made now. It tells of
// each whether it was imported.
func (r Runtime) Load(ctx context.Context, images ...Image) ([]bool, error) {
	there, err := r.list(ctx)
	if err != nil {
		return nil, err
	}
	imported := make([]bool, len(images))
	for i, image := range images {
		if there[image.Ref] == image.Key {
			continue
		}
		read, write := io.Pipe()
		go func() { write.CloseWithError(image.Archive(write)) }()
		_, err := r.run(ctx, read, "images", "import", "-")
		_ = read.Close() // So that the writer ends too.
		if err == nil {
			_, err = r.run(ctx, nil, "images", "label", image.Ref, label+"="+image.Key)
		}
		if err != nil {
			return nil, fmt.Errorf("load image %q: %w", image.Ref, err)
		}
		imported[i] = true
	}
	return imported, nil
}

// LoadFile imports an archive of docker or OCI.
func (r Runtime) LoadFile(ctx context.Context, archive string) error {
	if _, err := r.run(ctx, nil, "images", "import", archive); err != nil {
		return fmt.Errorf("load image %q: %w", archive, err)
	}
	return nil
}

// List returns the names of the images that are loaded, sorted.
func (r Runtime) List(ctx context.Context) ([]string, error) {
	there, err := r.list(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range there {
		if !strings.HasPrefix(name, "sha256:") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// list maps the names of images to the keys from which they were made, if they
// were made here.
func (r Runtime) list(ctx context.Context) (map[string]string, error) {
	text, err := r.run(ctx, nil, "images", "list")
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	return readList(text), nil
}

// readList reads the table of ctr: the first column is the name, the last the
// labels.
func readList(text string) map[string]string {
	there := map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		columns := strings.Fields(line)
		if i == 0 || len(columns) == 0 {
			continue
		}
		made := ""
		for l := range strings.SplitSeq(columns[len(columns)-1], ",") {
			if value, ok := strings.CutPrefix(l, label+"="); ok {
				made = value
			}
		}
		there[columns[0]] = made
	}
	return there
}

func (r Runtime) run(ctx context.Context, in io.Reader, args ...string) (string, error) {
	args = append([]string{"--address", r.Socket, "--namespace", namespace}, args...)
	cmd := exec.CommandContext(ctx, r.Program, args...)
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &said
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return "", fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	if err != nil {
		return "", fmt.Errorf("run ctr: %w", err)
	}
	return out.String(), nil
}
