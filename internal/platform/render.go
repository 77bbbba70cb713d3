package platform

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/refitproject/refit/internal/yamldoc"
)

// Render writes a platform file: every key with a comment that says what it is
// for, every value on one line, and what is not given as a comment that shows how
// it would be. The error is for values that YAML cannot write.
func Render(d *Draft) (*Rendered, error) {
	r := &renderer{out: &Rendered{Places: map[string][]Place{}}, line: 1}
	r.comment(0, "Which platform is upgraded, where it is and when it may be. refit lint checks this "+
		"file, refit plan reads it, and nothing but people changes it.")
	r.pair(0, "", "apiVersion", apiVersion)
	r.pair(0, "", "kind", Kind)
	r.text(0, "metadata:")
	r.comment(2, docOf[Metadata]("name"))
	r.pair(2, "name", "name", d.Name)
	if d.Description != "" {
		r.pair(2, "description", "description", d.Description)
	}
	r.gap()
	r.comment(0, docOf[Platform]("procedure"))
	r.pair(0, "procedure", "procedure", d.Procedure)
	r.targets(d.Targets)
	r.inputs(d.Inputs)
	r.backup(d.Store)
	r.windows(d.Windows)
	r.out.Text = r.b.Bytes()
	return r.out, r.err
}

// renderer writes lines and remembers where values stand.
type renderer struct {
	out  *Rendered
	b    bytes.Buffer
	line int
	err  error
}

func (r *renderer) text(indent int, line string) {
	r.b.WriteString(strings.Repeat(" ", indent) + line + "\n")
	r.line++
}

func (r *renderer) gap() { r.b.WriteByte('\n'); r.line++ }

// comment writes text as a comment of as many lines as it takes.
func (r *renderer) comment(indent int, text string) {
	const width = 84
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && indent+len("# ")+utf8.RuneCountInString(line+" "+word) > width {
			r.text(indent, "# "+line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	if line != "" {
		r.text(indent, "# "+line)
	}
}

// pair writes a key with its value. place is what the value is called among the
// places, "" for one that nobody asks about.
func (r *renderer) pair(indent int, place, key string, value any) {
	if place != "" {
		r.out.Places[place] = append(r.out.Places[place], Place{Line: r.line, Column: indent + 1})
	}
	r.text(indent, r.scalar(key)+": "+r.scalar(value))
}

// scalar writes a value on one line.
func (r *renderer) scalar(value any) string {
	n, err := nodeOf(value)
	if err == nil {
		var data []byte
		if data, err = yaml.Marshal(n); err == nil {
			return strings.TrimRight(string(data), "\n")
		}
	}
	if r.err == nil {
		r.err = fmt.Errorf("write a value of the platform file: %w", err)
	}
	return ""
}

// nodeOf gives a plain value a form that needs no second line.
func nodeOf(value any) (*yaml.Node, error) {
	switch v := value.(type) {
	case *yaml.Node:
		return v, nil
	case string:
		n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: v}
		isTime := v != "" && unicode.IsDigit(rune(v[0])) && strings.Contains(v, ":")
		if isTime || strings.ContainsFunc(v, func(r rune) bool { return !unicode.IsPrint(r) }) {
			n.Style = yaml.DoubleQuotedStyle
		}
		return n, nil
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, item := range v {
			member, err := nodeOf(item)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, member)
		}
		return n, nil
	case map[string]any:
		return mappingOf(slices.Sorted(maps.Keys(v)), v)
	default: // Numbers, true and false, null.
		n := &yaml.Node{}
		return n, n.Encode(value)
	}
}

// mappingOf gives the members of a mapping their order.
func mappingOf(keys []string, members map[string]any) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for _, name := range keys {
		key, err := nodeOf(name)
		if err != nil {
			return nil, err
		}
		value, err := nodeOf(members[name])
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, key, value)
	}
	return n, nil
}

func (r *renderer) targets(list []DraftTarget) {
	if len(list) == 0 {
		return
	}
	r.gap()
	r.comment(0, docOf[Platform]("targets"))
	r.text(0, "targets:")
	for i := range list {
		t := &list[i]
		r.comment(2, t.Doc)
		r.text(2, r.scalar(t.Name)+":")
		r.pair(4, "", keyKind, t.Kind)
		for j := range t.Config {
			r.value(4, "targets."+t.Name, &t.Config[j])
		}
	}
}

func (r *renderer) inputs(list []DraftValue) {
	if len(list) == 0 {
		return
	}
	r.gap()
	r.comment(0, docOf[Platform]("inputs")+" A secret is a reference to where it is, never the secret itself.")
	head := "inputs:"
	if !slices.ContainsFunc(list, func(v DraftValue) bool { return v.isGiven() }) {
		head = "inputs: {}"
	}
	r.text(0, head)
	for i := range list {
		r.value(2, "inputs", &list[i])
	}
}

// value writes one value below the path of what holds it.
func (r *renderer) value(indent int, below string, v *DraftValue) {
	path := below + "." + v.Name
	r.comment(indent, v.Doc)
	switch {
	case len(v.Members) > 0 && v.isGiven():
		r.text(indent, r.scalar(v.Name)+":")
		for i := range v.Members {
			r.value(indent+2, path, &v.Members[i])
		}
	case v.Value != nil:
		r.pair(indent, path, v.Name, v.Value)
	case v.Example != nil:
		r.text(indent, "# "+r.scalar(v.Name)+": "+r.scalar(v.Example))
	default:
		r.text(indent, "# "+r.scalar(v.Name)+":")
	}
}

func (r *renderer) backup(store string) {
	r.gap()
	r.comment(0, docOf[Platform]("backup")+" "+docOf[Backup]("store"))
	if store == "" {
		r.text(0, "# backup:")
		r.text(0, "#   store: file:///var/backups/refit")
		return
	}
	r.text(0, "backup:")
	r.pair(2, "backup.store", "store", store)
}

func (r *renderer) windows(list []map[string]any) {
	r.gap()
	r.comment(0, docOf[Platform]("windows")+" Wall clock time in the zone: weekly on days, or once on a date.")
	if len(list) == 0 {
		r.text(0, "# windows:")
		r.text(0, `#   - {days: [Sat, Sun], start: "22:00", duration: 4h, zone: Europe/Paris}`)
		return
	}
	r.text(0, "windows:")
	for _, w := range list {
		r.out.Places["windows"] = append(r.out.Places["windows"], Place{Line: r.line, Column: len("  -")})
		n, err := window(w)
		if err != nil && r.err == nil {
			r.err = fmt.Errorf("write a window of the platform file: %w", err)
		}
		r.text(2, "- "+r.scalar(n))
	}
}

// window returns a window with its keys in the order of the language.
func window(w map[string]any) (*yaml.Node, error) {
	var keys []string
	for _, row := range yamldoc.Table(reflect.TypeFor[Window]()) {
		if _, ok := w[row.Key]; ok {
			keys = append(keys, row.Key)
		}
	}
	return mappingOf(keys, w)
}

// docOf returns what the reference says of a key of T.
func docOf[T any](key string) string {
	for _, row := range yamldoc.Table(reflect.TypeFor[T]()) {
		if row.Key == key {
			return row.Doc
		}
	}
	return ""
}
