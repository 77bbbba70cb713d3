package report

// ProcedureSummary is what a person who looks for a procedure wants to know
// of it.
type ProcedureSummary struct {
	Name        string          `json:"name"`
	Summary     string          `json:"summary"`
	Description string          `json:"description,omitempty"`
	Source      string          `json:"source,omitempty"`
	File        string          `json:"file"`
	Targets     []NamedKind     `json:"targets,omitempty"`
	Components  []NamedKind     `json:"components,omitempty"`
	Inputs      []InputSummary  `json:"inputs,omitempty"`
	Facts       []FactSource    `json:"facts,omitempty"`
	Stages      []StageOverview `json:"stages,omitempty"`
	Graph       *Graph          `json:"graph,omitempty"`
}

// NamedKind is a target or a component.
type NamedKind struct {
	Name        string `json:"name"`
	Kind        string `json:"kind"`
	Description string `json:"description,omitempty"`
}

// InputSummary is one input of a procedure.
type InputSummary struct {
	Name string `json:"name"`
	// Type is as an author writes it: "list(string)".
	Type string `json:"type"`
	// Required inputs have neither default nor permission to be left out.
	Required    bool     `json:"required"`
	Default     any      `json:"default,omitempty"`
	Enum        []string `json:"enum,omitempty"`
	Description string   `json:"description,omitempty"`
}

// FactSource is one fact with the action that observes it.
type FactSource struct {
	Name        string `json:"name"`
	Action      string `json:"action"`
	Description string `json:"description,omitempty"`
}

// StageOverview is one stage as its author wrote it.
type StageOverview struct {
	// ID may hold an expression: "to-${item.to}".
	ID          string         `json:"id"`
	Description string         `json:"description,omitempty"`
	ForEach     string         `json:"forEach,omitempty"`
	Steps       []StepOverview `json:"steps"`
}

// StepOverview is one step as its author wrote it.
type StepOverview struct {
	ID    string `json:"id"`
	Phase string `json:"phase"`
	// Action is the action, or the sub-procedure that stands in the place of
	// the step.
	Action      string `json:"action"`
	Description string `json:"description,omitempty"`
}
