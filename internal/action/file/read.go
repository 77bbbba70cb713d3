package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// The reasons of errors of file.read.
const (
	reasonFileNotFound = "FileNotFound"
	reasonNotAFile     = "NotAFile"
	reasonNotReadable  = "NotReadable"
	reasonFileTooLarge = "FileTooLarge"
	reasonNotText      = "NotText"
	reasonNotJSON      = "NotJSON"
	reasonNotYAML      = "NotYAML"
)

// maxSize is the largest file that is read, in bytes. Facts are kept in plans,
// so they must stay small.
const maxSize = 1 << 20

// ReadInput is the input of file.read.
type ReadInput struct {
	Path     string `json:"path" doc:"File to read, relative to the platform file."`
	Format   string `json:"format,omitempty" enum:"raw,json,yaml,lines,none" doc:"What to make of the content: raw (default) gives text; json, yaml and lines give value; none gives neither."`
	Optional bool   `json:"optional,omitempty" doc:"Makes a missing file a fact (exists is false) instead of an error."`
}

// ReadOutput is the output of file.read.
type ReadOutput struct {
	Exists bool   `json:"exists" doc:"Tells whether the file is there."`
	Text   string `json:"text,omitempty" doc:"Content, with the format raw."`
	Value  any    `json:"value,omitempty" doc:"Content read as JSON or YAML, or the list of its lines."`
	Size   int64  `json:"size" doc:"Size in bytes."`
	SHA256 string `json:"sha256,omitempty" doc:"Digest of the content, 64 hexadecimal digits."`
	Mode   string `json:"mode,omitempty" doc:"Permissions as octal digits, such as 0644."`
}

// Read returns the action file.read.
func Read() action.Action {
	return action.Define(action.Definition[ReadInput, ReadOutput]{
		Name:    "file.read",
		Version: 1,
		Summary: "Read a file of this machine.",
		Effect:  action.ReadOnly,
		Check:   checkRead,
		Preview: func(_ context.Context, _ action.Env, in ReadInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("read file %q", in.Path)}, nil
		},
		Observe: func(ctx context.Context, env action.Env, in ReadInput) (action.Observed[ReadOutput], error) {
			if err := ctx.Err(); err != nil {
				return action.Observed[ReadOutput]{}, fmt.Errorf("read file %q: %w", in.Path, err)
			}
			out, err := read(env, in)
			if err != nil {
				return action.Observed[ReadOutput]{}, err
			}
			return action.Saw(out), nil
		},
	})
}

func checkRead(in ReadInput) error {
	if in.Path == "" || strings.ContainsRune(in.Path, 0) {
		return errors.New("field \"path\" must be the path of a file")
	}
	return nil
}

func read(env action.Env, in ReadInput) (ReadOutput, error) {
	path := in.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(env.Dir, path)
	}
	data, info, err := content(path)
	if in.Optional && errors.Is(err, fs.ErrNotExist) {
		return ReadOutput{}, nil
	}
	if err != nil {
		return ReadOutput{}, failure(in.Path, err)
	}
	digest := sha256.Sum256(data)
	out := ReadOutput{
		Exists: true, Size: int64(len(data)),
		SHA256: hex.EncodeToString(digest[:]), Mode: fmt.Sprintf("%04o", info.Mode().Perm()),
	}
	out.Text, out.Value, err = interpret(in.Path, data, in.Format)
	return out, err
}

// Two ways in which a path cannot be read that the system has no name for.
var (
	errNotAFile = errors.New("is not a regular file")
	errTooLarge = fmt.Errorf("is larger than %d bytes", maxSize)
)

// content reads a regular file that is not too large. What is opened is looked
// at before it is opened too: opening a named pipe would wait for its writer.
func content(path string) ([]byte, fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, errNotAFile
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, nil, err
	}
	if len(data) > maxSize {
		return nil, nil, errTooLarge
	}
	return data, info, nil
}

// failure explains why the file that the author calls path cannot be read.
func failure(path string, err error) error {
	failed := &action.Error{Effect: action.ExtentNone, Err: fmt.Errorf("read file %q: %w", path, cause(err))}
	switch {
	case isInterruption(err):
		failed.Reason, failed.Retryable = reasonInterrupted, true
	case errors.Is(err, fs.ErrNotExist):
		failed.Reason, failed.Remedy = reasonFileNotFound, "create it, correct path or set optional: true"
	case errors.Is(err, errNotAFile):
		failed.Reason, failed.Remedy = reasonNotAFile, "name a file, not a folder or a device"
	case errors.Is(err, errTooLarge):
		failed.Reason, failed.Remedy = reasonFileTooLarge, "let a program extract what matters and use exec.observe"
	default:
		failed.Reason, failed.Retryable = reasonNotReadable, true
		failed.Remedy = "check the permissions of the file and of the folders above it"
	}
	return failed
}

// cause leaves out the path that the system repeats.
func cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
