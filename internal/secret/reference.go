package secret

import (
	"errors"
	"fmt"

	"github.com/refitproject/refit/internal/schema"
)

// Reference says where a secret comes from. Exactly one of Env, File, Command
// and Kubernetes is set.
type Reference struct {
	// Env is the name of an environment variable.
	Env string
	// File is a path, relative to the folder of the platform file.
	File string
	// Command is a program and its arguments; no shell.
	Command []string
	// Kubernetes is "NAME/KEY" of a Secret of a cluster.
	Kubernetes string
	// Prefix is put before the value. It is no secret.
	Prefix string
}

// Parse reads a reference from plain values. The error says what is wrong and
// quotes nothing but names of fields: whatever stands there may be the secret
// itself, written by mistake.
func Parse(plain map[string]any) (Reference, error) {
	if problems := schema.Check(schema.Of(schema.Secret), plain); len(problems) > 0 {
		return Reference{}, errors.New(problems[0].String())
	}
	r := Reference{Env: text(plain["env"]), File: text(plain["file"]), Prefix: text(plain["prefix"])}
	args, _ := plain["command"].([]any)
	for _, arg := range args {
		r.Command = append(r.Command, text(arg))
	}
	if k, ok := plain["kubernetes"].(map[string]any); ok {
		r.Kubernetes = text(k["name"]) + "/" + text(k["key"])
	}
	return r, nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// String names the reference as messages do: `environment variable "TOKEN"`. Of
// a command it shows the program only.
func (r Reference) String() string {
	switch {
	case r.Env != "":
		return fmt.Sprintf("environment variable %q", r.Env)
	case r.File != "":
		return fmt.Sprintf("file %q", r.File)
	case len(r.Command) > 0:
		return fmt.Sprintf("command %q", r.Command[0])
	case r.Kubernetes != "":
		return fmt.Sprintf("kubernetes %q", r.Kubernetes)
	default:
		return "nothing"
	}
}
