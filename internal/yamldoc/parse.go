package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/refitproject/refit/internal/diag"
)

// Limits bound what Parse reads. A field that is zero or less has the value of
// DefaultLimits.
type Limits struct {
	// Bytes is the greatest size of a file.
	Bytes int
	// Nodes is how many values a document may hold, with aliases expanded.
	Nodes int
	// Depth is how many lists and mappings may stand one inside the other.
	Depth int
}

// DefaultLimits returns the limits for documents that people write: 4 MiB,
// 200,000 values, 64 levels.
func DefaultLimits() Limits { return Limits{Bytes: 4 << 20, Nodes: 200_000, Depth: 64} }

func (l Limits) orDefault() Limits {
	def := DefaultLimits()
	for _, pair := range [][2]*int{{&l.Bytes, &def.Bytes}, {&l.Nodes, &def.Nodes}, {&l.Depth, &def.Depth}} {
		if *pair[0] <= 0 {
			*pair[0] = *pair[1]
		}
	}
	return l
}

// Parse reads the one YAML document in data; file is its name in positions.
//
// The Node is nil when nothing could be read. Else it is the document, even
// when there are Diagnostics: what they are about is left out, or is a Node of
// kind Invalid, so that Decode finds the other problems of the file. It never
// panics, and its time and memory are bounded by limits.
func Parse(file string, data []byte, limits Limits) (*Node, diag.Diagnostics) {
	limits = limits.orDefault()
	var ds diag.Diagnostics
	if len(data) > limits.Bytes {
		ds.Errorf(CodeTooLarge, diag.Position{File: file}, "the file is %d bytes, at most %d are read",
			len(data), limits.Bytes).Suggest("is it the right file?")
		return nil, ds
	}
	if !checkText(file, data, &ds) {
		return nil, ds
	}
	in := &lineReader{rest: data}
	first, second, err := readDocuments(in)
	var root *Node
	if first != nil {
		c := &converter{file: file, limits: limits, seen: map[*yaml.Node]expansion{}}
		root = c.document(first)
		ds = append(ds, c.ds...)
	}
	switch {
	case err != nil:
		reportSyntax(&ds, file, data, locate(data, in.lines, err), limits, err)
	case first == nil:
		reportEmpty(&ds, file)
	case second != nil:
		ds.Errorf(CodeManyDocuments, position(file, second), "a second document starts here, only one is read").
			Suggest("remove it, or put it into a file of its own")
	}
	ds.Sort()
	return root, ds
}

func reportEmpty(ds *diag.Diagnostics, file string) {
	ds.Errorf(CodeEmptyDocument, diag.Position{File: file, Line: 1}, "the document is empty")
}

func position(file string, y *yaml.Node) diag.Position {
	return diag.Position{File: file, Line: y.Line, Column: y.Column}
}

// readDocuments reads up to two documents. The error is the library's, also
// where the library panics.
func readDocuments(r io.Reader) (first, second *yaml.Node, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("yaml: %v", v)
		}
	}()
	decoder := yaml.NewDecoder(r)
	for _, into := range []**yaml.Node{&first, &second} {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return first, second, nil
		} else if err != nil {
			return first, second, err //nolint:wrapcheck // mapped to a Diagnostic by reportSyntax
		}
		*into = &document
	}
	return first, second, nil
}

// lineReader gives at most one line at a time, so that lines tells how far a
// reader came before it failed.
type lineReader struct {
	rest  []byte
	lines int // lines that were begun
	mid   bool
}

// Read implements io.Reader.
func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	line := r.rest
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end+1]
	}
	n := copy(p, line)
	if n == 0 {
		return 0, nil
	}
	if !r.mid {
		r.lines++
	}
	r.mid = line[n-1] != '\n'
	r.rest = r.rest[n:]
	return n, nil
}
