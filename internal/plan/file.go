package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxFileSize is how large a plan file may be, in bytes. A plan of 100,000
// steps takes some 100 MB.
const MaxFileSize = 1 << 30

// checksumKey begins the last line of a plan file, which holds the SHA-256 of
// all bytes before it.
const checksumKey = ",\n  \"checksum\": \""

// Write writes p as a plan file: JSON with one line per step, so that two
// plans can be compared line by line. Its checksum covers also what the
// digests leave out, such as previews: people decide by them.
func Write(to io.Writer, p *Plan) error {
	sum := sha256.New()
	w := io.MultiWriter(to, sum)
	head := *p
	head.Stages = nil
	if err := writeOpen(w, head, ""); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	if len(p.Stages) > 0 {
		if err := writeStages(w, p.Stages); err != nil {
			return fmt.Errorf("write plan: %w", err)
		}
	}
	if _, err := io.WriteString(to, lastLine([sha256.Size]byte(sum.Sum(nil)))); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}

// lastLine is how a plan file ends: nothing may stand behind the checksum.
func lastLine(sum [sha256.Size]byte) string { return fmt.Sprintf("%s%x\"\n}\n", checksumKey, sum) }

func writeStages(w io.Writer, stages []Stage) error {
	text := ",\n  \"stages\": ["
	for i := range stages {
		if _, err := io.WriteString(w, text+"\n    "); err != nil {
			return err
		}
		if err := writeStage(w, stages[i]); err != nil {
			return fmt.Errorf("stage %q: %w", stages[i].ID, err)
		}
		text = ","
	}
	_, err := io.WriteString(w, "\n  ]")
	return err
}

func writeStage(w io.Writer, s Stage) error {
	steps := s.Steps
	s.Steps = nil
	if err := writeOpen(w, s, "    "); err != nil {
		return err
	}
	if len(steps) > 0 {
		if err := writeSteps(w, steps); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n    }")
	return err
}

func writeSteps(w io.Writer, steps []Step) error {
	text := ",\n      \"steps\": [\n        "
	line := &bytes.Buffer{}
	encoder := json.NewEncoder(line)
	encoder.SetEscapeHTML(false)
	for i := range steps {
		line.Reset()
		line.WriteString(text)
		if err := encoder.Encode(&steps[i]); err != nil {
			return fmt.Errorf("step %q: %w", steps[i].ID, err)
		}
		if _, err := w.Write(bytes.TrimRight(line.Bytes(), "\n")); err != nil {
			return err
		}
		text = ",\n        "
	}
	_, err := io.WriteString(w, "\n      ]")
	return err
}

// writeOpen writes v as indented JSON without its closing brace.
func writeOpen(w io.Writer, v any, prefix string) error {
	text := &strings.Builder{}
	encoder := json.NewEncoder(text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent(prefix, "  ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	open, _ := strings.CutSuffix(strings.TrimRight(text.String(), "\n"), "\n"+prefix+"}")
	_, err := io.WriteString(w, open)
	return err
}

// ErrNotPlan is returned when a file is not a plan file.
var ErrNotPlan = errors.New("is not a plan file")

// Read reads a plan file. It is strict: an unknown field, another API version
// or a digest that does not match is an error of one line. A digest that does
// not match is a *TamperedError.
func Read(r io.Reader) (*Plan, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	if len(data) > MaxFileSize {
		return nil, fmt.Errorf("%w: it is larger than %d bytes", ErrNotPlan, MaxFileSize)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	file := &struct {
		*Plan
		Checksum string `json:"checksum"`
	}{Plan: &Plan{}}
	p := file.Plan
	if err := decoder.Decode(file); err != nil {
		return nil, decodeError(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: there is more after its end", ErrNotPlan)
	}
	if p.Kind != Kind {
		return nil, fmt.Errorf("%w: its kind is %q", ErrNotPlan, p.Kind)
	}
	if p.APIVersion != APIVersion {
		return nil, fmt.Errorf("plan is written for %q, this program reads %q: make the plan anew with refit plan",
			p.APIVersion, APIVersion)
	}
	numbers(p)
	if err := verifyDigests(p); err != nil {
		return nil, err
	}
	end := bytes.LastIndex(data, []byte(checksumKey))
	if end < 0 || string(data[end:]) != lastLine(sha256.Sum256(data[:end])) {
		return nil, &TamperedError{}
	}
	return p, nil
}

// decodeError words what encoding/json says for people.
func decodeError(err error) error {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: broken JSON at byte %d: %w", ErrNotPlan, syntax.Offset, err)
	case errors.As(err, &wrongType):
		field := strings.TrimPrefix(wrongType.Field, "Plan.")
		return fmt.Errorf("%w: %s cannot be a %s", ErrNotPlan, field, wrongType.Value)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: it is cut off or empty", ErrNotPlan)
	default:
		return fmt.Errorf("%w: %s", ErrNotPlan, strings.TrimPrefix(err.Error(), "json: "))
	}
}

// numbers turns json.Number into int64 and float64 everywhere in the plan, so
// that a plan that was read equals the plan that was written.
func numbers(p *Plan) {
	plain := func(m map[string]any) {
		for k, v := range m {
			m[k] = number(v)
		}
	}
	plain(p.Inputs)
	plain(p.Facts)
	for i := range p.Targets {
		plain(p.Targets[i].Config)
	}
	for i := range p.Observe {
		plain(p.Observe[i].With)
	}
	for i := range p.Probes {
		plain(p.Probes[i].Config)
	}
	if p.Path != nil {
		for i := range p.Path.Hops {
			plain(p.Path.Hops[i].Properties)
		}
	}
	for i := range p.Stages {
		stageNumbers(&p.Stages[i], plain)
	}
}

func stageNumbers(s *Stage, plain func(map[string]any)) {
	plain(s.Scope)
	if s.Hop != nil {
		plain(s.Hop.Properties)
	}
	for i := range s.Expects {
		s.Expects[i].Value = number(s.Expects[i].Value)
	}
	for i := range s.Leaves {
		s.Leaves[i].Value = number(s.Leaves[i].Value)
	}
	groups := func(groups []Group) {
		for i := range groups {
			plain(groups[i].Inputs)
			plain(groups[i].Outputs)
			plain(groups[i].Scope)
		}
	}
	groups(s.Groups)
	steps := func(steps []Step) {
		for i := range steps {
			plain(steps[i].With)
			plain(steps[i].Scope)
		}
	}
	steps(s.Steps)
	if s.Abort != nil {
		steps(s.Abort.Steps)
		groups(s.Abort.Groups)
	}
}

// number returns v with every json.Number as int64, or float64 when it is not
// whole.
func number(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		for k, member := range v {
			v[k] = number(member)
		}
	case []any:
		for i, member := range v {
			v[i] = number(member)
		}
	}
	return v
}
