package plan

// Selection limits what an action picks out when it starts. How it picks
// (selector, pattern, never-list) is input of the action, and in the digest too.
type Selection struct {
	// Max is how many members it may pick.
	Max int `json:"max"`
	// Approve tells that a person has to approve the list before the action
	// starts.
	Approve bool `json:"approve,omitempty"`
	// Empty says whether picking nothing is fine: EmptyOK or EmptyRefuse.
	Empty string `json:"empty"`
}

// What an empty selection means.
const (
	EmptyOK     = "ok"
	EmptyRefuse = "refuse"
)

// Remedy makes a step the remedy of a known issue: it runs when a step of the
// stage has failed with the issue, outside of the order of the phases; then the
// failed step goes on.
type Remedy struct {
	// Issue is the id of the known issue.
	Issue string `json:"issue"`
	// Max is how often it may be taken in one run.
	Max int `json:"max"`
}
