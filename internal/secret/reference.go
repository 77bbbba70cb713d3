package secret

import (
	"errors"
	"fmt"

	"github.com/refitproject/refit/internal/schema"
)

// Reference says where a secret comes from. Exactly one of Env, File, Command,
// Kubernetes and Captured is set.
type Reference struct {
	// Env is the name of an environment variable.
	Env string
	// File is a path, relative to the folder of the platform file.
	File string
	// Command is a program and its arguments; no shell.
	Command []string
	// Kubernetes is a Secret of a cluster.
	Kubernetes *InCluster
	// Captured is where a captured secret is kept.
	Captured *Captured
	// Prefix is put before the value. It is no secret.
	Prefix string
}

// InCluster is one entry of a Secret of a cluster.
type InCluster struct {
	Namespace, Name, Key string
	// Target is the target that is meant; empty for that of the step, or the only
	// one.
	Target string
}

// Captured is where a captured secret is kept.
type Captured struct {
	// Backup is the id of the backup that holds it. It is empty for the newest one
	// of the series Name.
	Backup, Name string
	// Store is the address of the store; it may be relative to the folder of the
	// platform file.
	Store string
	// Key is the reference to the key that opens it.
	Key map[string]any
}

// Plain returns the reference as plain values, with a prefix if there is one.
func (c Captured) Plain(prefix string) map[string]any {
	members := map[string]any{"backup": c.Backup, "store": c.Store, "key": c.Key}
	if c.Backup == "" {
		delete(members, "backup")
		members["name"] = c.Name
	}
	plain := map[string]any{schema.SecretCaptured: members}
	if prefix != "" {
		plain["prefix"] = prefix
	}
	return plain
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
		r.Kubernetes = &InCluster{
			Namespace: text(k["namespace"]), Name: text(k["name"]), Key: text(k["key"]), Target: text(k["target"]),
		}
	}
	if c, ok := plain[schema.SecretCaptured].(map[string]any); ok {
		r.Captured = &Captured{Backup: text(c["backup"]), Name: text(c["name"]), Store: text(c["store"])}
		r.Captured.Key, _ = c["key"].(map[string]any)
	}
	return r, nil
}

// VariablesOf returns the names of the environment variables to which references
// in plain values lead, however deep they stand.
func VariablesOf(values ...any) []string {
	var names []string
	for _, value := range values {
		switch v := value.(type) {
		case []any:
			names = append(names, VariablesOf(v...)...)
		case map[string]any:
			if name, ok := v["env"].(string); ok {
				names = append(names, name)
			}
			for _, member := range v {
				names = append(names, VariablesOf(member)...)
			}
		}
	}
	return names
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
	case r.Kubernetes != nil:
		return fmt.Sprintf("key %q of Kubernetes secret %q in namespace %q",
			r.Kubernetes.Key, r.Kubernetes.Name, r.Kubernetes.Namespace)
	case r.Captured != nil:
		return fmt.Sprintf("captured secret %q", r.Captured.Backup+r.Captured.Name)
	default:
		return "nothing"
	}
}
