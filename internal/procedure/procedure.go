package procedure

import (
	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/versions"
	"github.com/refitproject/refit/internal/yamldoc"
)

// Procedure is a checked procedure: every expression compiled against declared
// types, every reference resolved. It is immutable and may be used by several
// goroutines. What needs no compiling is read from the Source fields, which
// hold what the author wrote.
type Procedure struct {
	Document *Document
	// File is the name of the main file as it was given to Load.
	File string
	// Files are all files that were read, in the order of their names.
	Files []File
	// Digest is over all files, "sha256:…": two procedures with equal digests
	// do the same for the same platform and facts.
	Digest string
	// Graph is the version graph; nil for procedures without one.
	Graph *versions.Graph
	// Inputs is the closed Object of the declared inputs.
	Inputs schema.Type
	Facts  []Fact
	// From gives the installed version; nil without a version graph.
	From   *expr.Template
	Probes []ProbeTemplate
	Stages []*StageTemplate
	// Issues are the known issues; nil without any.
	Issues *issues.Set
	// Remedies are the steps that Refit takes by itself when it meets one of
	// them, in the order of their file.
	Remedies []RemedyTemplate
}

// RemedyTemplate is the remedy of a known issue before planning. Its step is
// called like the issue, and stands in every stage.
type RemedyTemplate struct {
	// Max is how often it may be taken in one run.
	Max  int
	Step *StepTemplate
}

// File is one file of a procedure with the digest of its bytes.
type File struct {
	Name   string
	SHA256 string // hexadecimal
}

// Fact is one entry of the observe block.
type Fact struct {
	Name   string
	Pos    diag.Position
	Spec   action.Spec
	Target string // resolved; empty when the action needs none
	With   *expr.Template
	When   *expr.Template // nil: always
	Source Observe
}

// ProbeTemplate is one background measurement.
type ProbeTemplate struct {
	Name      string
	Kind      string // http, tcp or exec
	Component string
	// Address is the URL, the host:port or the command.
	Address *expr.Template
	Source  Probe
}

// StageTemplate is a stage before planning.
type StageTemplate struct {
	Source      *Stage
	ID          *expr.Template
	Description *expr.Template // nil when not written, like all templates below
	ForEach     *expr.Template
	As          string // name of the forEach member; "item" by default
	When        *expr.Template
	Window      *expr.Template
	Reason      *expr.Template // of the approval
	Expects     []FactTemplate
	Leaves      []FactTemplate
	Steps       []*StepTemplate
	Abort       []*StepTemplate
}

// FactTemplate is one line of expects or leaves.
type FactTemplate struct {
	// Path is the path below observe, as expr.ParsePath reads it:
	// release.chart.version, release.values["hub.db.upgrade"].
	Path  string
	Pos   diag.Position
	Value *expr.Template
}

// StepTemplate is a step before planning. Either Sub is set or Spec.Name is
// not empty.
type StepTemplate struct {
	ID     string
	Pos    diag.Position
	Source *Step
	Spec   action.Spec
	Sub    *SubTemplate
	Target string // resolved; empty when the action needs none
	// Targets and Components map names of the sub-procedure to names here; all
	// names of the sub-procedure are present. Nil unless Sub is set.
	Targets, Components map[string]string
	Description         *expr.Template // nil when not written, like all templates below
	With                *expr.Template
	When                *expr.Template
	ForEach             *expr.Template
	As                  string // name of the forEach member; "item" by default
	Key                 *expr.Template
	Resource            *expr.Template
}

// SubTemplate is a sub-procedure as one step uses it.
type SubTemplate struct {
	File     string
	Document *Document
	Inputs   schema.Type
	Steps    []*StepTemplate
	Outputs  []OutputTemplate
}

// OutputTemplate is one output of a sub-procedure.
type OutputTemplate struct {
	Name  string
	Value *expr.Template
}

// Files gives the bytes of the files that a procedure consists of. Names are
// slash-separated and relative to the folder of the main file; they never
// leave it.
type Files interface {
	// ReadFile returns the whole file. The error satisfies fs.ErrNotExist when
	// there is none.
	ReadFile(name string) ([]byte, error)
}

// PlatformType is the type of the variable platform in expressions.
func PlatformType() schema.Type {
	text, windows := schema.Of(schema.String), schema.ListOf(schema.Of(schema.Any))
	return schema.ObjectOf(map[string]schema.Field{
		"name":    {Type: text, Required: true, Doc: "Name of the platform."},
		"windows": {Type: windows, Required: true, Doc: "Maintenance windows of the platform."},
		"backup": {Required: true, Doc: "Where backups go.", Type: schema.ObjectOf(map[string]schema.Field{
			"store": {Type: text, Required: true, Doc: "Address of the store; empty when there is none."},
		})},
	})
}

// textOf returns the literal text of a node, for messages; "" when it is none.
func textOf(n *yamldoc.Node) string {
	if n == nil {
		return ""
	}
	s, _ := n.Value.(string)
	return s
}
