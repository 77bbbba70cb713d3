package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Module is the path of the module whose repository is read.
const Module = "github.com/refitproject/refit"

// Problem is one place where the repository breaks a rule of its own.
type Problem struct {
	// File is relative to the root of the repository; Line is 0 when the
	// whole file or folder is meant.
	File string
	Line int
	// Text says in one line what is wrong and what to do.
	Text string
}

// String returns "file:line: text".
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// at makes a Problem at a place of any file; line 0 means all of it.
func at(file string, line int, format string, args ...any) Problem {
	return Problem{File: file, Line: line, Text: fmt.Sprintf(format, args...)}
}

// Check is one rule.
type Check struct {
	// Name is CamelCase.
	Name string
	// Run returns every place of t that breaks the rule.
	Run func(t *Tree) []Problem
}

// Checks returns all rules.
func Checks() []Check {
	return []Check{
		{"ImportRule", importRule},
		{"Purity", purity},
		{"LintAgrees", lintAgrees},
		{"PackageDocs", packageDocs},
		{"FileSize", fileSize},
		{"Words", words},
		{"Architecture", architecture},
		{"Actions", actions},
		{"Matrix", matrix},
		{"ExitCodes", exitCodes},
		{"Changelog", changelog},
		{"Decisions", decisions},
		{"Links", links},
		{"LocalPaths", localPaths},
	}
}

// Tree is a repository: the text of its files, and the syntax of the Go files
// of its main module outside of testdata.
type Tree struct {
	// Files holds every file that is not ignored, by its slash-separated path.
	Files map[string][]byte
	// Go holds the parsed files in the order of their paths.
	Go []GoFile
	// Fset resolves the positions of Go.
	Fset *token.FileSet
}

// GoFile is one parsed file.
type GoFile struct {
	Path string
	AST  *ast.File
	// Imports maps the name by which a package is used in this file to its
	// path.
	Imports map[string]string
}

// Dir returns the folder of the file.
func (f GoFile) Dir() string { return path.Dir(f.Path) }

// Test tells whether the file is compiled for tests only.
func (f GoFile) Test() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Load reads a repository. A Go file that cannot be parsed is an error.
func Load(root fs.FS) (*Tree, error) {
	t := &Tree{Files: map[string][]byte{}, Fset: token.NewFileSet()}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && ignored(name):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		text, err := fs.ReadFile(root, name)
		t.Files[name] = text
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the repository: %w", err)
	}
	for _, name := range t.paths() {
		if path.Ext(name) != ".go" || inTestdata(name) || t.nested(name) {
			continue
		}
		if err := t.parse(name); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// ignored tells which folders are no part of the repository.
func ignored(name string) bool {
	return name == ".git" || name == "bin" || name == "dist"
}

func inTestdata(name string) bool {
	return slices.Contains(strings.Split(name, "/"), "testdata")
}

// nested tells whether a file belongs to a module of its own below the root.
func (t *Tree) nested(name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, ok := t.Files[dir+"/go.mod"]; ok {
			return true
		}
	}
	return false
}

func (t *Tree) parse(name string) error {
	file, err := parser.ParseFile(t.Fset, name, t.Files[name], parser.ParseComments)
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	imports := map[string]string{}
	for _, spec := range file.Imports {
		target := strings.Trim(spec.Path.Value, `"`)
		local := path.Base(target)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		imports[local] = target
	}
	t.Go = append(t.Go, GoFile{Path: name, AST: file, Imports: imports})
	return nil
}

// paths returns the paths of all files, sorted.
func (t *Tree) paths() []string {
	names := make([]string, 0, len(t.Files))
	for name := range t.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// problem makes a Problem at a place of a Go file.
func (t *Tree) problem(f GoFile, pos token.Pos, format string, args ...any) Problem {
	return at(f.Path, t.Fset.Position(pos).Line, format, args...)
}

// lines returns the lines of a text file; none when it does not exist.
func (t *Tree) lines(name string) []string {
	text, ok := t.Files[name]
	if !ok {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}
