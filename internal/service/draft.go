package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// draft turns the answers into a platform file before it is written. What cannot
// be read as a value comes back by the keys of its questions.
func (iv *Interview) draft() (*platform.Draft, map[string]error) {
	doc := iv.procedure.Document
	bad := map[string]error{}
	d := &platform.Draft{
		Name: strings.TrimSpace(iv.answers["name"]), Description: strings.TrimSpace(iv.answers["description"]),
		Procedure: iv.ref, Store: strings.TrimSpace(iv.answers["backup.store"]),
	}
	for _, t := range doc.Targets {
		d.Targets = append(d.Targets, iv.draftTarget(t.Name, t.Value, bad))
	}
	for i := range doc.Inputs {
		in := &doc.Inputs[i]
		d.Inputs = append(d.Inputs, iv.draftInput("inputs."+in.Name, in.Name, &in.Value, in.Value.Required(), bad))
	}
	for text := range strings.SplitSeq(iv.answers["windows"], ";") {
		if strings.TrimSpace(text) == "" {
			continue
		}
		w, err := parseWindow(text)
		if err != nil {
			bad["windows"] = err
			continue
		}
		d.Windows = append(d.Windows, w)
	}
	return d, bad
}

func (iv *Interview) draftTarget(name string, t procedure.Target, bad map[string]error) platform.DraftTarget {
	out := platform.DraftTarget{Name: name, Kind: t.Kind.Value, Doc: t.Description}
	config, ok := iv.s.o.Registry.TargetConfig(out.Kind)
	if !ok {
		for part := range strings.SplitSeq(iv.answers["targets."+name], ",") {
			if strings.TrimSpace(part) == "" {
				continue
			}
			key, value, ok := strings.Cut(part, "=")
			if key = strings.TrimSpace(key); !ok || key == "" {
				bad["targets."+name] = fmt.Errorf("%q is not KEY=VALUE", strings.TrimSpace(part))
				continue
			}
			v := platform.DraftValue{Name: key, Value: plainValue(schema.Of(schema.Any), value)}
			out.Config = append(out.Config, v)
		}
		return out
	}
	for _, field := range config.FieldNames() {
		f, key := config.Fields[field], "targets."+name+"."+field
		v := platform.DraftValue{Name: field, Doc: f.Doc}
		v.Value = iv.value(key, f.Type, bad)
		out.Config = append(out.Config, v)
	}
	return out
}

// draftInput turns the answers to an input into its value.
func (iv *Interview) draftInput(
	key, name string, in *procedure.Input, required bool, bad map[string]error,
) platform.DraftValue {
	v := platform.DraftValue{Name: name, Doc: strings.TrimSpace(describe(in) + " " + iv.gap(key))}
	if in.Type.Value == string(schema.Object) && len(in.Fields) > 0 && required {
		for _, member := range in.Fields {
			if member.Value != nil {
				v.Members = append(v.Members, iv.draftInput(key+"."+member.Name, member.Name, member.Value,
					member.Value.Required(), bad))
			}
		}
		return v
	}
	if in.Default != nil {
		v.Example = in.Default.Plain()
		if strings.TrimSpace(iv.answers[key]) == typed(v.Example) {
			return v
		}
	}
	v.Value = iv.value(key, in.ValueType(), bad)
	return v
}

// gap says what is to be done about a question without an answer.
func (iv *Interview) gap(key string) string {
	if text := iv.open[key]; text != "" {
		return "NOT FOUND OUT: " + text
	}
	return ""
}

// describe explains an input to the reader of the file.
func describe(in *procedure.Input) string {
	text := in.Description
	if len(in.Enum) > 0 {
		var values []string
		for _, v := range in.Enum {
			values = append(values, v.Value)
		}
		text += " One of " + strings.Join(values, ", ") + "."
	}
	switch {
	case in.Default != nil:
		text += " Default: " + typed(in.Default.Plain()) + "."
	case in.Optional:
		text += " It may be left out."
	}
	return strings.TrimSpace(text)
}

// value reads the answer to a question, nil when there is none.
func (iv *Interview) value(key string, t schema.Type, bad map[string]error) any {
	text := strings.TrimSpace(iv.answers[key])
	if text == "" {
		return nil
	}
	if t.Kind == schema.Secret {
		ref, err := secretReference(text)
		if err != nil {
			bad[key] = err
		}
		return ref
	}
	return plainValue(t, text)
}

// plainValue reads what a person has typed for a value of type t. What does not
// fit stays a text, which the check of the file refuses.
func plainValue(t schema.Type, text string) any {
	text = strings.TrimSpace(text)
	switch t.Kind {
	case schema.String, schema.Duration:
		return text
	case schema.List:
		if !strings.HasPrefix(text, "[") {
			list := []any{}
			for part := range strings.SplitSeq(text, ",") {
				list = append(list, plainValue(t.ElemType(), part))
			}
			return list
		}
	case schema.Any, schema.Bool, schema.Int, schema.Number, schema.Map, schema.Object, schema.Secret:
	}
	root, ds := yamldoc.Parse("answer", []byte(text), yamldoc.DefaultLimits())
	if root == nil || ds.HasErrors() {
		return text
	}
	return root.Plain()
}

// typed writes a value as a person types it.
func typed(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}

// secretReference reads where a secret is. What was typed may be the secret itself
// and is never repeated.
func secretReference(text string) (map[string]any, error) {
	form, rest, _ := strings.Cut(text, ":")
	rest = strings.TrimSpace(rest)
	ref := map[string]any{}
	switch {
	case strings.HasPrefix(text, "{"):
		root, ds := yamldoc.Parse("answer", []byte(text), yamldoc.DefaultLimits())
		if root != nil && !ds.HasErrors() {
			ref, _ = root.Plain().(map[string]any)
		}
	case (form == "env" || form == "file") && rest != "":
		ref[form] = rest
	case form == "command" && rest != "":
		args := []any{}
		for arg := range strings.FieldsSeq(rest) {
			args = append(args, arg)
		}
		ref[form] = args
	}
	if len(schema.Check(schema.Of(schema.Secret), ref)) > 0 {
		return nil, errors.New("a secret is never written here, only where it is: " +
			"env:NAME, file:PATH or command:PROGRAM ARGUMENT")
	}
	return ref, nil
}

// parseWindow reads a window as a person types it: "Sat,Sun 22:00 4h Europe/Paris",
// with finish, pause or abort behind it.
func parseWindow(text string) (map[string]any, error) {
	const least, most = 4, 5
	fields := strings.Fields(text)
	if len(fields) < least || len(fields) > most {
		return nil, fmt.Errorf("%q is no window: write days or a date, start, duration and zone, "+
			"such as Sat,Sun 22:00 4h Europe/Paris", strings.TrimSpace(text))
	}
	w := map[string]any{"start": fields[1], "duration": fields[2], "zone": fields[3]}
	if strings.ContainsAny(fields[0], "0123456789") {
		w["date"] = fields[0]
	} else {
		days := []any{}
		for day := range strings.SplitSeq(fields[0], ",") {
			days = append(days, day)
		}
		w["days"] = days
	}
	if len(fields) == most {
		w["onClose"] = fields[4]
	}
	return w, nil
}
