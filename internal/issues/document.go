package issues

import (
	"reflect"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// APIVersion is the version of the language that this package reads.
const APIVersion = "refit.dev/v1alpha1"

// DocumentKind is the kind of the documents of this package.
const DocumentKind = "Issues"

// Document is a file of known issues as its author wrote it. The struct tags are
// the language: the decoder, the JSON Schema and the reference page are made from
// them.
type Document struct {
	Pos        diag.Position                  `yaml:"-"`
	APIVersion yamldoc.Text                   `yaml:"apiVersion,required" doc:"Version of the language: refit.dev/v1alpha1."`
	Kind       yamldoc.Text                   `yaml:"kind,required" enum:"Issues" doc:"Issues."`
	Issues     yamldoc.Ordered[IssueDocument] `yaml:"issues,required" doc:"The known issues, by id. An id is made of lower case letters, digits and dashes."`
}

// IssueDocument is one known issue.
type IssueDocument struct {
	Pos         diag.Position     `yaml:"-"`
	Match       MatchDocument     `yaml:"match,required" doc:"What the issue is recognised by."`
	In          *ScopeDocument    `yaml:"in" doc:"Which steps it can befall; default all."`
	Explanation yamldoc.Text      `yaml:"explanation,required" doc:"What has happened and why, in a sentence or two."`
	Benign      *yamldoc.Node     `yaml:"benign" type:"text" doc:"Condition under which the issue does no harm: an expression, or true. The failed step then counts as done."`
	Remedy      *RemedyDocument   `yaml:"remedy" doc:"What helps."`
	Source      SourceDocument    `yaml:"source,required" doc:"Where the issue is described."`
	Failing     []FixtureDocument `yaml:"failing,required" doc:"Failures that must be recognised, at least one."`
	Passing     []FixtureDocument `yaml:"passing,required" doc:"Failures that look alike and must not be recognised, at least one."`
}

// MatchDocument says what an issue is recognised by. All that is written has to
// hold.
type MatchDocument struct {
	Pos     diag.Position  `yaml:"-"`
	Text    yamldoc.Text   `yaml:"text" doc:"Exact text, as the program prints it. Line breaks and runs of spaces count as one space."`
	Pattern yamldoc.Text   `yaml:"pattern" doc:"Regular expression (RE2) that has to fit within one line. It must hold a literal text of four bytes or more."`
	State   *yamldoc.Node  `yaml:"state" type:"text" doc:"Expression over facts, which are observed again after the failure."`
	Reasons []yamldoc.Text `yaml:"reasons" doc:"Reasons of the failure, as the page of the action lists them; one of them has to be the one."`
}

// ScopeDocument says which steps an issue can befall.
type ScopeDocument struct {
	Actions []yamldoc.Text `yaml:"actions" doc:"Actions, without their version; default all."`
	Phases  []yamldoc.Text `yaml:"phases" enum:"prepare,preflight,quiesce,backup,upgrade,verify,resume,cleanup" doc:"Phases; default all."`
}

// SourceDocument says where an issue is described.
type SourceDocument struct {
	Pos  diag.Position `yaml:"-"`
	URL  yamldoc.Text  `yaml:"url" doc:"Address of the description."`
	Note string        `yaml:"note" doc:"Title, section or date, where an address does not say enough or there is none."`
}

// RemedyDocument says what helps.
type RemedyDocument struct {
	Pos     diag.Position `yaml:"-"`
	Suggest yamldoc.Text  `yaml:"suggest" doc:"What a person does; shown with the failure."`
	Step    *StepDocument `yaml:"step" doc:"What Refit does by itself: a step of every stage that is taken only when the issue is met, and previewed and approved with the plan."`
}

// StepDocument is a step that Refit takes by itself.
type StepDocument struct {
	Pos         diag.Position    `yaml:"-"`
	Description *yamldoc.Node    `yaml:"description" type:"text" doc:"What the step does, for the reader of the plan."`
	Action      yamldoc.Text     `yaml:"action,required" doc:"Action that the step carries out."`
	With        *yamldoc.Node    `yaml:"with" doc:"Input of the action, with expressions over inputs and facts."`
	Target      yamldoc.Text     `yaml:"target" doc:"Target that it acts on; may be left out when only one fits."`
	When        *yamldoc.Node    `yaml:"when" type:"text" doc:"Expression known when planning; when false the plan leaves the step out."`
	Max         int              `yaml:"max,required" doc:"How often it may be taken in one run, 1 to 10."`
	Changes     []yamldoc.Text   `yaml:"changes" doc:"Components that the step changes; those that hold data need a backup of the same stage, and the step is taken only once that was made."`
	Downtime    []yamldoc.Text   `yaml:"downtime" doc:"Components that are down while the step runs."`
	Timeout     yamldoc.Duration `yaml:"timeout" doc:"How long one attempt may take, default 10m."`
	Reversible  yamldoc.Text     `yaml:"reversible" doc:"undo (the inverse action), restore (undo, and the data from the backup) or no: why."`
}

// FixtureDocument is a failure for the test of an issue.
type FixtureDocument struct {
	Pos     diag.Position `yaml:"-"`
	Message string        `yaml:"message" doc:"Message of the failure."`
	Log     string        `yaml:"log" doc:"What the step wrote."`
	Reason  yamldoc.Text  `yaml:"reason" doc:"Reason of the failure; default the first that the issue names."`
	Action  yamldoc.Text  `yaml:"action" doc:"Action of the step; default the first that the issue names."`
	Phase   yamldoc.Text  `yaml:"phase" enum:"prepare,preflight,quiesce,backup,upgrade,verify,resume,cleanup" doc:"Phase of the step; default the first that the issue names."`
	Observe *yamldoc.Node `yaml:"observe" type:"map" doc:"Facts as they are observed after the failure."`
	Inputs  *yamldoc.Node `yaml:"inputs" type:"map" doc:"Inputs of the procedure."`
	Benign  bool          `yaml:"benign" doc:"With failing: whether the issue does no harm here."`
}

// Schema returns the JSON Schema of files of known issues, for editors.
func Schema() map[string]any {
	return yamldoc.JSONSchema(reflect.TypeFor[Document](), "Known issues of Refit")
}
