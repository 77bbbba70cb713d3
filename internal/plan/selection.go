package plan

// Selection limits what an action picks out when it starts. How it picks
// (selector, pattern, never-list) is input of the action, and in the digest too.
// No key of the language sets it yet: it comes with the first action that
// selects.
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
