package report

// Role is the meaning of a piece of text. Colours follow meanings: green for
// what is added or well, yellow for what changes, red for danger.
type Role int

// The roles. Text is everything without a meaning of its own.
const (
	Text    Role = iota
	Heading      // a title
	Strong       // the name that the reader looks for
	Muted        // detail that may be passed over
	Add          // something new
	Change       // something that becomes different
	Danger       // something that cannot be taken back, or that blocks
	Warn         // something to think about
	Good         // something that is as it should be
)

// String returns the name of the role in lower case: "danger".
func (r Role) String() string {
	names := [...]string{"text", "heading", "strong", "muted", "add", "change", "danger", "warn", "good"}
	if r < 0 || int(r) >= len(names) {
		return "text"
	}
	return names[r]
}

// Style paints text by its meaning. Paint must not change what a reader sees
// beside colour and weight: the text stays one line of the same width.
// Implementations are safe for concurrent use.
type Style interface {
	Paint(role Role, text string) string
}

// Plain is the Style without colours.
type Plain struct{}

// Paint returns text as it is.
func (Plain) Paint(_ Role, text string) string { return text }

// TextOptions say how texts are laid out.
type TextOptions struct {
	// Width is the number of columns that no line exceeds; 0 means 80, and
	// less than 40 counts as 40. A very large Width turns wrapping off: rules
	// and right-hand columns never reach beyond column 120.
	Width int
	// Style paints; nil means Plain.
	Style Style
	// ASCII replaces arrows, marks and rules by ASCII characters.
	ASCII bool
	// Full shows everything; else phases and stages with very many members
	// are folded.
	Full bool
	// Confirming tells that the reader is asked whether a plan is carried out: what to
	// do next is the question then.
	Confirming bool
	// PlanFile is the name of the saved plan for the command to type next;
	// empty means that it is not saved.
	PlanFile string
}
