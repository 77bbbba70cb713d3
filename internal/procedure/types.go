package procedure

import (
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// APIVersion is the version of the language that this package reads.
const APIVersion = "refit.dev/v1alpha1"

// The kinds of documents of this package.
const (
	KindProcedure    = "Procedure"
	KindSubProcedure = "SubProcedure"
)

// Document is a procedure or a sub-procedure as its author wrote it. The
// struct tags are the language: the decoder, the JSON Schema and the reference
// page are made from them.
type Document struct {
	Pos        diag.Position              `yaml:"-"`
	APIVersion yamldoc.Text               `yaml:"apiVersion,required" doc:"Version of the language: refit.dev/v1alpha1."`
	Kind       yamldoc.Text               `yaml:"kind,required" enum:"Procedure,SubProcedure" doc:"Procedure, or SubProcedure for a part that procedures use."`
	Metadata   Metadata                   `yaml:"metadata,required" doc:"Name and summary."`
	Versions   yamldoc.Text               `yaml:"versions" doc:"File of the version graph, relative to this file."`
	Issues     yamldoc.Text               `yaml:"issues" doc:"File of the known issues, relative to this file."`
	Targets    yamldoc.Ordered[Target]    `yaml:"targets" doc:"Places that steps act on, by name."`
	Components yamldoc.Ordered[Component] `yaml:"components" doc:"Parts of the platform that can be down or damaged, by name."`
	Inputs     yamldoc.Ordered[Input]     `yaml:"inputs" doc:"Values that the platform file gives, by name."`
	Outputs    yamldoc.Ordered[Output]    `yaml:"outputs" doc:"Values that a sub-procedure hands back, by name."`
	Observe    yamldoc.Ordered[Observe]   `yaml:"observe" doc:"Read-only actions whose outputs are the facts that the plan rests on, by name."`
	From       *yamldoc.Node              `yaml:"from" type:"text" doc:"Expression that gives the version installed now."`
	Probes     yamldoc.Ordered[Probe]     `yaml:"probes" doc:"Measurements in the background, from the first quiesce to the end, by name."`
	Stages     []Stage                    `yaml:"stages" doc:"Stages in their order: one hop of a version path each, or one maintenance window each."`
	Steps      yamldoc.Ordered[Step]      `yaml:"steps" doc:"Steps of a sub-procedure, by id."`
}

// Metadata names a procedure.
type Metadata struct {
	Name        yamldoc.Text `yaml:"name,required" doc:"Name, lower case letters, digits and dashes."`
	Summary     string       `yaml:"summary,required" doc:"One sentence: what this upgrades, and from what."`
	Description string       `yaml:"description" doc:"Longer text for the reader of the procedure."`
	Source      string       `yaml:"source" doc:"Where the procedure comes from: a document, a URL."`
}

// Target is a place that steps act on.
type Target struct {
	Kind        yamldoc.Text `yaml:"kind,required" enum:"kubernetes,juju,git,s3,vault,database,directory,host" doc:"Kind of place."`
	Description string       `yaml:"description" doc:"What the target is for."`
}

// Component is a part of the platform.
type Component struct {
	Kind        yamldoc.Text `yaml:"kind,required" enum:"service,database,volume,objectstore,etcd,objects" doc:"service holds no data; all other kinds are stateful and need a backup before a step may damage them."`
	Description string       `yaml:"description" doc:"What the component is for."`
}

// Stateful tells whether a component of this kind holds data that a step can
// damage.
func (c Component) Stateful() bool { return c.Kind.Value != "service" }

// DefaultProof is the level of proof that a backup of the component needs
// when nothing else is written: 3 (restored and counted) for databases and
// etcd, else 2 (parsed).
func (c Component) DefaultProof() int {
	if c.Kind.Value == "database" || c.Kind.Value == "etcd" {
		return 3
	}
	return 2
}

// Input declares a value that the platform file gives.
type Input struct {
	Type        yamldoc.Text            `yaml:"type,required" enum:"any,bool,duration,int,list,map,number,object,secret,string" doc:"Type of the value. A secret is given as a reference, never as a value."`
	Default     *yamldoc.Node           `yaml:"default" doc:"Value when the platform file gives none; an input without default is required."`
	Optional    bool                    `yaml:"optional" doc:"The input may be left out although it has no default; test it with has(inputs.NAME)."`
	Description string                  `yaml:"description" doc:"One sentence for whoever fills in the platform file."`
	Enum        []yamldoc.Text          `yaml:"enum" doc:"Permitted values of a string."`
	Pattern     yamldoc.Text            `yaml:"pattern" doc:"Regular expression (RE2) that the whole string must match."`
	Items       yamldoc.Text            `yaml:"items" enum:"any,bool,duration,int,number,object,string" doc:"Type of the members of a list or map."`
	Fields      yamldoc.Ordered[*Input] `yaml:"fields" doc:"Members of an object; without them any member is permitted."`
}

// Output is a value that a sub-procedure hands back.
type Output struct {
	Value       *yamldoc.Node `yaml:"value,required" doc:"Value, usually an expression over outputs of steps."`
	Description string        `yaml:"description" doc:"One sentence for whoever uses it."`
}

// Observe is one read-only action whose output is a fact.
type Observe struct {
	Action      yamldoc.Text  `yaml:"action,required" doc:"Read-only action."`
	With        *yamldoc.Node `yaml:"with" doc:"Input of the action."`
	Target      yamldoc.Text  `yaml:"target" doc:"Target that it reads; may be left out when only one fits."`
	When        *yamldoc.Node `yaml:"when" type:"text" doc:"Expression; when false the fact is not observed and must be tested with has()."`
	Description string        `yaml:"description" doc:"What the fact is for."`
}

// Probe is a measurement in the background. Exactly one of HTTP, TCP and Exec
// is set.
type Probe struct {
	Component yamldoc.Text `yaml:"component,required" doc:"Component whose availability is measured."`
	HTTP      *HTTPProbe   `yaml:"http" doc:"The component is up when this address answers."`
	TCP       *TCPProbe    `yaml:"tcp" doc:"The component is up when this address accepts a connection."`
	Exec      *ExecProbe   `yaml:"exec" doc:"The component is up when this program ends with 0."`
}

// HTTPProbe asks an address.
type HTTPProbe struct {
	URL     *yamldoc.Node    `yaml:"url,required" type:"text" doc:"Address to ask with GET."`
	Every   yamldoc.Duration `yaml:"every" doc:"Time between two samples, default 1s."`
	Timeout yamldoc.Duration `yaml:"timeout" doc:"How long one sample may take, default 5s."`
	Status  []int            `yaml:"status" doc:"Status codes that mean up; default 200 to 399."`
}

// TCPProbe opens a connection.
type TCPProbe struct {
	Address *yamldoc.Node    `yaml:"address,required" type:"text" doc:"host:port to connect to."`
	Every   yamldoc.Duration `yaml:"every" doc:"Time between two samples, default 1s."`
	Timeout yamldoc.Duration `yaml:"timeout" doc:"How long one sample may take, default 5s."`
}

// ExecProbe starts a program.
type ExecProbe struct {
	Command *yamldoc.Node    `yaml:"command,required" type:"list" doc:"Program and arguments; no shell."`
	Every   yamldoc.Duration `yaml:"every" doc:"Time between two samples, default 1s."`
	Timeout yamldoc.Duration `yaml:"timeout" doc:"How long one sample may take, default 5s."`
}

// Stage is one hop of a version path or one maintenance window.
type Stage struct {
	Pos         diag.Position                  `yaml:"-"`
	ID          *yamldoc.Node                  `yaml:"id,required" type:"text" doc:"Id of the stage; with forEach an expression that differs for every member."`
	Description *yamldoc.Node                  `yaml:"description" type:"text" doc:"What the stage does, for the reader of the plan."`
	ForEach     *yamldoc.Node                  `yaml:"forEach" type:"text" doc:"Expression that gives a list, known when planning; one stage for each member, in order."`
	As          yamldoc.Text                   `yaml:"as" doc:"Name of the member in expressions; default item."`
	When        *yamldoc.Node                  `yaml:"when" type:"text" doc:"Expression known when planning; when false the stage is left out."`
	Window      *yamldoc.Node                  `yaml:"window" type:"text" doc:"Maintenance windows of the stage: an expression such as ${platform.windows}."`
	Soak        *Soak                          `yaml:"soak" doc:"Observation after the stage, before the next one may start."`
	Approval    *Approval                      `yaml:"approval" doc:"Approval that is needed before the stage starts."`
	Expects     yamldoc.Ordered[*yamldoc.Node] `yaml:"expects" doc:"What facts must be when the stage starts: path of the fact below observe, and value."`
	Leaves      yamldoc.Ordered[*yamldoc.Node] `yaml:"leaves" doc:"What facts are after the stage; the stages behind it are planned with these."`
	Steps       yamldoc.Ordered[Step]          `yaml:"steps,required" doc:"Steps of the stage, by id."`
	Abort       *Abort                         `yaml:"abort" doc:"The author's way back to service, offered when rollback is refused or fails."`
	OnFailure   yamldoc.Text                   `yaml:"onFailure" enum:"halt,rollback,continue" doc:"What to do when a step of the stage fails: halt (default), rollback to the start of the stage, continue with independent steps and the next stage."`
}

// Soak is a time of observation after a stage.
type Soak struct {
	For    yamldoc.Duration `yaml:"for,required" doc:"How long the checks must hold; only observed time counts."`
	Every  yamldoc.Duration `yaml:"every" doc:"Time between two observations, default 1m."`
	MaxGap yamldoc.Duration `yaml:"maxGap" doc:"Gap in the observation that is tolerated, default 5m."`
	Checks []yamldoc.Text   `yaml:"checks" doc:"Ids of read-only steps of the stage that are repeated; default all verify steps."`
}

// Approval is a person's consent.
type Approval struct {
	By     []string      `yaml:"by" doc:"Persons or groups that may give it; default anybody."`
	Count  int           `yaml:"count" doc:"How many different persons must give it; default 1."`
	Reason *yamldoc.Node `yaml:"reason" type:"text" doc:"What the approver is asked to judge."`
}

// Abort is the author's way back to service.
type Abort struct {
	Description string                `yaml:"description" doc:"Which service is back afterwards, and what is lost."`
	Steps       yamldoc.Ordered[Step] `yaml:"steps,required" doc:"Steps of the way back, by id."`
}

// Step is one node of a plan before it is resolved. Either Action or Use is
// set.
type Step struct {
	Description *yamldoc.Node           `yaml:"description" type:"text" doc:"What the step does, for the reader of the plan."`
	Phase       yamldoc.Text            `yaml:"phase" enum:"prepare,preflight,quiesce,backup,upgrade,verify,resume,cleanup" doc:"Phase of the step."`
	Action      yamldoc.Text            `yaml:"action" doc:"Action that the step carries out, optionally with its contract version: helm.upgrade@1."`
	Use         yamldoc.Text            `yaml:"use" doc:"File of a sub-procedure whose steps stand in the place of this one."`
	With        *yamldoc.Node           `yaml:"with" doc:"Input of the action or sub-procedure."`
	Target      yamldoc.Text            `yaml:"target" doc:"Target that it acts on; may be left out when only one fits."`
	Targets     map[string]yamldoc.Text `yaml:"targets" doc:"With use: which target of this procedure stands for which of the sub-procedure; default the one of the same name."`
	Components  map[string]yamldoc.Text `yaml:"components" doc:"With use: which component of this procedure stands for which of the sub-procedure; default the one of the same name."`
	Needs       []yamldoc.Text          `yaml:"needs" doc:"Ids of steps of the same stage that must have ended well before."`
	When        *yamldoc.Node           `yaml:"when" type:"text" doc:"Expression; when false the step is skipped."`
	ForEach     *yamldoc.Node           `yaml:"forEach" type:"text" doc:"Expression that gives a list; one step for each member. Over outputs of steps it needs max."`
	As          yamldoc.Text            `yaml:"as" doc:"Name of the member in expressions; default item."`
	Key         *yamldoc.Node           `yaml:"key" type:"text" doc:"With forEach: expression that names the member in the step's id; default its index."`
	Max         int                     `yaml:"max" doc:"With forEach over outputs of steps: how many members are permitted."`
	Select      *Select                 `yaml:"select" doc:"For actions that pick out themselves, when the step starts, what they act on: how much that may be."`
	Resource    *yamldoc.Node           `yaml:"resource" type:"text" doc:"Name of something that only one step at a time may use."`
	Order       yamldoc.Text            `yaml:"order" enum:"phase,free" doc:"free: the step waits for its needs only, not for the phases before, and no phase waits for it."`
	Lease       *Lease                  `yaml:"lease" doc:"The change is temporary and is given back."`
	Quiesces    []yamldoc.Text          `yaml:"quiesces" doc:"Components that are not written to from this step on, until its lease is released."`
	Covers      []yamldoc.Text          `yaml:"covers" doc:"Components whose data this backup holds."`
	Proof       int                     `yaml:"proof" doc:"Level of proof of the backup: 1 read back, 2 parsed, 3 restored into a scratch target and counted."`
	Consistency yamldoc.Text            `yaml:"consistency" enum:"quiesced,online" doc:"online: the backup is consistent although the component is written to; what is written later is lost on restore."`
	Changes     []yamldoc.Text          `yaml:"changes" doc:"Components that the step changes; those that hold data need a backup of the same stage."`
	Downtime    []yamldoc.Text          `yaml:"downtime" doc:"Components that are down while the step runs, or while its lease is held."`
	Duration    *Estimate               `yaml:"duration" doc:"How long the step takes, for the prediction."`
	Timeout     yamldoc.Duration        `yaml:"timeout" doc:"How long one attempt may take, default 10m."`
	Retry       *Retry                  `yaml:"retry" doc:"How often to try again, after the effect was observed not to have happened."`
	Reversible  yamldoc.Text            `yaml:"reversible" doc:"undo (the inverse action), restore (undo, and the data from the backup) or no: why."`
	OnFailure   yamldoc.Text            `yaml:"onFailure" enum:"halt,rollback,continue" doc:"What to do when the step fails; default what the stage says."`
}

// Select limits what an action picks out when the step starts. How it picks is
// the input of the action.
type Select struct {
	Pos     diag.Position `yaml:"-"`
	Max     int           `yaml:"max,required" doc:"How many members it may pick, 1 to 1000; when there are more the step fails before it changes anything."`
	Empty   yamldoc.Text  `yaml:"empty,required" enum:"ok,refuse" doc:"What it means to pick nothing: ok (there was nothing to do) or refuse (the step fails)."`
	Approve yamldoc.Text  `yaml:"approve" enum:"always,never" doc:"Whether a person approves the list before the step changes anything; default always for a step that cannot be taken back or that changes a component that holds data, else never."`
}

// Lease makes a change temporary.
type Lease struct {
	Pos       diag.Position `yaml:"-"`
	Until     yamldoc.Text  `yaml:"until,required" doc:"When it is given back: stage, run or step:ID (after that step)."`
	OnFailure yamldoc.Text  `yaml:"onFailure" enum:"release,hold" doc:"What happens to it after a failure; default hold for a step that quiesces, else release."`
}

// Estimate predicts a duration.
type Estimate struct {
	Typical yamldoc.Duration `yaml:"typical,required" doc:"How long it takes as a rule."`
	Worst   yamldoc.Duration `yaml:"worst" doc:"How long it takes in 19 of 20 cases; default three times typical, at most the timeout."`
}

// Retry says how to try again.
type Retry struct {
	Attempts   int              `yaml:"attempts,required" doc:"How many attempts in all, 1 to 100."`
	Backoff    yamldoc.Duration `yaml:"backoff" doc:"Wait before the second attempt, doubled before every further one; default 5s."`
	MaxBackoff yamldoc.Duration `yaml:"maxBackoff" doc:"Longest wait between two attempts, default 5m."`
}
