package action

import "context"

// Access is one thing that an action asks a Kubernetes API server for.
type Access struct {
	// Group is the API group, "" for the core; Resource the plural name, with a
	// subresource behind a slash: "pods/exec".
	Group, Resource string
	// Namespace is where; empty for kinds without namespaces, and for all
	// namespaces.
	Namespace string
	// Names are the objects; empty for any.
	Names []string
	Verbs []string
}

// Accessor is implemented by actions, and kinds of target, that say what they ask a
// Kubernetes API server for. All actions made by Define implement it.
type Accessor interface {
	// Access returns what the functions of an action ask for together, with the
	// input in, which holds values and no expressions. It changes nothing; known is
	// false for who asks no such server, or does not say.
	Access(ctx context.Context, env Env, in map[string]any) (list []Access, known bool, err error)
}

// NoAccess is the Access of a Definition that asks a Kubernetes API server for nothing, or
// only for what every account may ask.
func NoAccess[In any](context.Context, Env, In) ([]Access, error) { return nil, nil }
