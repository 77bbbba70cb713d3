package procedure

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/versions"
	"github.com/refitproject/refit/internal/yamldoc"
)

// Limits of a procedure. They stop a mistake, not an author.
const (
	// MaxFiles is how many files a procedure may consist of.
	MaxFiles = 200
	// MaxSteps is how many steps one file may hold, and one stage once its
	// sub-procedures are put in place.
	MaxSteps = 10_000
	// MaxDepth is how many sub-procedures may use each other in a row.
	MaxDepth = 16
)

// Load reads the procedure whose main file is name, with everything that it
// uses, and checks it against the actions of catalog. All problems of all
// files come back together, sorted by position. The Procedure is nil exactly
// when one of them is an Error.
func Load(files Files, name string, catalog action.Catalog) (*Procedure, diag.Diagnostics) {
	l := newLoader(files, catalog)
	proc := l.procedure(name)
	l.ds.Sort()
	if proc == nil || l.ds.HasErrors() {
		return nil, l.ds
	}
	return proc, l.ds
}

// Lint checks a procedure as Load does, or a sub-procedure by itself.
func Lint(files Files, name string, catalog action.Catalog) diag.Diagnostics {
	l := newLoader(files, catalog)
	root := l.parse(name, diag.Position{File: name}, "file")
	switch {
	case root == nil:
	case textOf(root.Get("kind")) == KindSubProcedure:
		l.sub(name, root)
	default:
		l.procedureFrom(name, root)
	}
	l.ds.Sort()
	return l.ds
}

// loader holds what is shared while one procedure is loaded.
type loader struct {
	files   Files
	catalog action.Catalog
	ds      diag.Diagnostics
	read    map[string]File
	// subs are the sub-procedures that were compiled, by file; nil for those
	// that could not be.
	subs map[string]*subFile
	// chain are the files that use each other, from the main file to the one
	// that is being compiled.
	chain []string
	full  bool // the limit of files was reported
}

func newLoader(files Files, catalog action.Catalog) *loader {
	return &loader{files: files, catalog: catalog, read: map[string]File{}, subs: map[string]*subFile{}}
}

// procedure loads the main file.
func (l *loader) procedure(name string) *Procedure {
	root := l.parse(name, diag.Position{File: name}, "file")
	if root == nil {
		return nil
	}
	return l.procedureFrom(name, root)
}

func (l *loader) procedureFrom(name string, root *yamldoc.Node) *Procedure {
	f := l.document(name, root, KindProcedure)
	if f == nil {
		return nil
	}
	l.chain = append(l.chain, name)
	proc := &Procedure{Document: f.doc, File: name, Inputs: f.inputs}
	proc.Graph = l.graph(f)
	proc.Issues = l.issues(f)
	l.compileProcedure(f, proc)
	proc.Files, proc.Digest = l.digest()
	return proc
}

// bytes reads one file, once. The position is that of the name in the file
// that refers to it; what says what the file is for.
func (l *loader) bytes(name string, pos diag.Position, what string) []byte {
	if len(l.read) >= MaxFiles {
		if !l.full {
			l.ds.Errorf("TooManyFiles", pos, "the procedure consists of more than %d files", MaxFiles).
				Suggest("split it into procedures of their own")
		}
		l.full = true
		return nil
	}
	data, err := l.files.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.ds.Errorf("FileNotFound", pos, "%s %q does not exist", what, name).
			Suggest("write a path relative to the file that names it")
		return nil
	case err != nil:
		l.ds.Errorf("FileNotRead", pos, "cannot read %s %q: %v", what, name, err)
		return nil
	}
	sum := sha256.Sum256(data)
	l.read[name] = File{Name: name, SHA256: hex.EncodeToString(sum[:])}
	return data
}

// parse reads one file as YAML; nil when that fails, which has been reported.
func (l *loader) parse(name string, pos diag.Position, what string) *yamldoc.Node {
	data := l.bytes(name, pos, what)
	if data == nil {
		return nil
	}
	root, ds := yamldoc.Parse(name, data, yamldoc.DefaultLimits())
	l.ds = append(l.ds, ds...)
	if ds.HasErrors() {
		return nil
	}
	return root
}

// resolve turns a name that a file writes into a name for Files. Names stay
// inside the folder of the main file.
func (l *loader) resolve(from string, t yamldoc.Text) (string, bool) {
	name := t.Value
	inside := name != "" && !path.IsAbs(name) && !strings.Contains(name, "\\") && path.Clean(name) == name &&
		name != "." && name != ".." && !strings.HasPrefix(name, "../")
	if !inside {
		l.ds.Errorf("BadFileName", t.Pos, "%q is not the name of a file in the folder of the procedure", name).
			Suggest("write a path such as steps/backup.yaml, without a leading / and without ..")
		return "", false
	}
	return path.Join(path.Dir(from), name), true
}

// graph loads the version graph.
func (l *loader) graph(f *file) *versions.Graph {
	if !f.doc.Versions.IsSet() {
		return nil
	}
	if graph := l.readGraph(f); graph != nil {
		return graph
	}
	// What it uses is not known.
	f.used.allInputs, f.used.allFacts = true, true
	return nil
}

func (l *loader) readGraph(f *file) *versions.Graph {
	name, ok := l.resolve(f.name, f.doc.Versions)
	if !ok {
		return nil
	}
	data := l.bytes(name, f.doc.Versions.Pos, "version graph")
	if data == nil {
		return nil
	}
	f.used.words(string(data)) // its rules use inputs and facts
	graph, ds := versions.Load(name, data)
	l.ds = append(l.ds, ds...)
	if ds.HasErrors() {
		return nil
	}
	return graph
}

// issues reads the file of known issues; nil without one, and for one with
// mistakes.
func (l *loader) issues(f *file) *issues.Set {
	if !f.doc.Issues.IsSet() {
		return nil
	}
	name, ok := l.resolve(f.name, f.doc.Issues)
	if !ok {
		return nil
	}
	data := l.bytes(name, f.doc.Issues.Pos, "file of known issues")
	if data == nil {
		return nil
	}
	f.used.words(string(data)) // its conditions use inputs and facts
	set, ds := issues.Load(name, data)
	l.ds = append(l.ds, ds...)
	if ds.HasErrors() {
		return nil
	}
	l.ds = append(l.ds, set.CheckActions(l.catalog)...)
	return set
}

// digest lists the files that were read and computes the digest over them.
func (l *loader) digest() ([]File, string) {
	list := make([]File, 0, len(l.read))
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(l.read)) {
		list = append(list, l.read[name])
		hash.Write(fmt.Appendf(nil, "%q %s\n", name, l.read[name].SHA256))
	}
	return list, "sha256:" + hex.EncodeToString(hash.Sum(nil))
}
