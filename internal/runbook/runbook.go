package runbook

import "github.com/refitproject/refit/internal/diag"

// MaxSize is the largest runbook that is read, in bytes.
const MaxSize = 4 << 20

// Runbook is a page as its authors wrote it.
type Runbook struct {
	// Name is the name of the file, for positions.
	Name string
	// Title is what the page is called; empty when it does not say.
	Title string
	// Sections are the parts of the page in their order. The first one is what
	// stands before any heading, and may be empty.
	Sections []*Section
	// Notes are lines that belong to no section, such as the head of the file.
	Notes []Block
	// Findings are what could not be taken over as it stands.
	Findings diag.Diagnostics
}

// Section is a heading with what stands below it, up to the next heading.
type Section struct {
	// Level is 1 to 6; 0 for what stands before any heading.
	Level int
	// Source is the heading as it is written, Heading its words alone.
	Source, Heading string
	Line            int
	// Flat tells that the level is not known: the page was copied from a browser.
	Flat   bool
	Blocks []Block
}

// BlockKind says what a Block is.
type BlockKind int

// The kinds of blocks.
const (
	// Prose is one paragraph, its lines joined.
	Prose BlockKind = iota
	// Code is a fenced or indented block, without its fence.
	Code
	// Raw is text whose lines are kept, such as a table.
	Raw
	// Hidden is a comment that readers of the page do not see.
	Hidden
	// ItemStart and ItemEnd stand around an item of a list of steps.
	ItemStart
	// ItemEnd ends what ItemStart began.
	ItemEnd
)

// Block is a piece of a section.
type Block struct {
	Kind BlockKind
	Text string
	// Info is what stands behind the opening fence of Code.
	Info string
	// Marker is what stands before an item of a list: "1.", "-".
	Marker string
	// Depth is how many lists the block stands in.
	Depth int
	// Warn tells that the page sets the block off as a warning.
	Warn bool
	// Line and End are the first and the last line.
	Line, End int
}
