package platform

// Draft is a platform file before it is written: what somebody has answered, with
// the words that explain it to the next reader. Values are plain JSON values.
type Draft struct {
	Name, Description string
	// Procedure is the name of a shipped procedure, or a path relative to the file.
	Procedure string
	Targets   []DraftTarget
	Inputs    []DraftValue
	// Store is the address of the backup store; empty for none.
	Store   string
	Windows []map[string]any
}

// DraftTarget is a target of a Draft.
type DraftTarget struct {
	Name, Kind, Doc string
	// Config are the keys beside the kind.
	Config []DraftValue
}

// DraftValue is one value with what explains it.
type DraftValue struct {
	Name, Doc string
	// Value is nil for one that is not given; then the line is a comment that shows
	// Example, which is the default as a rule.
	Value, Example any
	// Members stand in the place of Value: an object that is given one member a
	// line.
	Members []DraftValue
}

// isGiven tells whether something stands in the file for the value.
func (v *DraftValue) isGiven() bool {
	for i := range v.Members {
		if v.Members[i].isGiven() {
			return true
		}
	}
	return v.Value != nil
}

// Rendered is a platform file as text, and where its values stand.
type Rendered struct {
	Text []byte
	// Places are the lines on which values stand, by what they are: "name",
	// "procedure", "targets.app.path", "inputs.url", "backup.store", "windows".
	Places map[string][]Place
}

// Place is a value on a line. It stands behind Column, as in positions.
type Place struct{ Line, Column int }

// At tells which value stands at a place of the text; "" for none.
func (r *Rendered) At(line, column int) string {
	for key, places := range r.Places {
		for _, p := range places {
			if p.Line == line && column > p.Column {
				return key
			}
		}
	}
	return ""
}
