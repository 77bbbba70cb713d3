package keeper

import (
	"time"

	"github.com/refitproject/refit/test/cluster/internal/node"
	"github.com/refitproject/refit/test/cluster/internal/proc"
)

// Plan is what a keeper is told: in JSON, in a file of the cluster.
type Plan struct {
	// Record is where the keeper writes its Identity before anything else.
	Record string `json:"record"`
	// States is where it writes []State whenever one changes.
	States string `json:"states"`
	// Logs is the folder of one file per component.
	Logs string `json:"logs"`
	// Node says what to set up around the components; nil leaves everything to
	// be the machine's.
	Node *node.Setup `json:"node,omitempty"`
	// Components are started in any order that After permits.
	Components []Component `json:"components"`
}

// Component is one program that runs as long as the cluster.
type Component struct {
	Name string `json:"name"`
	// Path is the program.
	Path string   `json:"path"`
	Args []string `json:"args"`
	// Env is added to a path and nothing else.
	Env []string `json:"env,omitempty"`
	// After names the components that have to be ready before.
	After []string `json:"after,omitempty"`
	Ready Probe    `json:"ready"`
}

// Probe is how one sees that a component is ready. Exactly one address is set.
type Probe struct {
	// URL has to answer 200.
	URL string `json:"url,omitempty"`
	// Unix has to accept a connection.
	Unix string `json:"unix,omitempty"`
	// CA, Cert and Key are files for https.
	CA   string `json:"ca,omitempty"`
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
}

// State is how a component is.
type State struct {
	Name string `json:"name"`
	// Process has the number inside of the namespace of the keeper; zero while
	// the component waits for others.
	Process proc.Identity `json:"process"`
	Ready   bool          `json:"ready"`
	// Since is when Ready or Exit last changed.
	Since time.Time `json:"since"`
	// Exit is how it ended, "" while it runs.
	Exit string `json:"exit,omitempty"`
}
