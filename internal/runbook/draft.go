package runbook

import "github.com/refitproject/refit/internal/diag"

// Draft is a procedure as it is made of a runbook, before it is rendered.
type Draft struct {
	// Name is the name of the procedure, Title what the page is called.
	Name, Title string
	// Source is the name of the file that the page was read from.
	Source string
	// Inputs are what the page leaves to whoever follows it.
	Inputs []*Input
	// Counts tells how much of everything there is.
	Counts Counts
	// Findings are what could not be taken over as it stands.
	Findings diag.Diagnostics

	about  []piece
	stages []*stage
	tail   []piece // what is no step, kept as a comment
}

// Counts tells how much of everything a Draft holds.
type Counts struct {
	Stages int `json:"stages"`
	Steps  int `json:"steps"`
	// Commands are those that the page shows, CommandSteps the steps that hold them.
	Commands     int `json:"commands"`
	CommandSteps int `json:"commandSteps"`
	// Work are the steps that a person does, Gates those that a person judges.
	Work   int `json:"work"`
	Gates  int `json:"gates"`
	Inputs int `json:"inputs"`
	// Secrets are the values that were not copied.
	Secrets int `json:"secrets"`
}

// stage is a stage of the procedure.
type stage struct {
	id, title, source string
	line              int
	notes             []piece
	steps, back       []*step
}

// stepKind says what a step asks of a person.
type stepKind int

const (
	work stepKind = iota // to do something
	look                 // to look whether something is so
	wait                 // to wait for something
	heed                 // to know something before going on
	save                 // to make a backup
	read                 // to read what commands print
)

// gate tells whether a step of the kind changes nothing.
func (k stepKind) gate() bool { return k != work }

// step is a step of the procedure.
type step struct {
	id, about string
	kind      stepKind
	phase     role
	pieces    []piece
	commands  []command
	line, end int
	heading   *Section
	needs     string
}

// piece is a part of what a person reads.
type piece struct {
	text string
	// code is shown line by line, note is a comment that only the author sees.
	code, note bool
	// unclear tells that nothing says whether code is only there to be looked at.
	unclear bool
	// typed tells that code is what a person types.
	typed  bool
	marker string
	depth  int
	line   int
}

func (s *step) add(p piece) {
	s.pieces = append(s.pieces, p)
	if p.note {
		return
	}
	s.end = max(s.end, p.line)
	if s.line == 0 {
		s.line = p.line
	}
}
