package action

import (
	"fmt"
	"time"

	"github.com/refitproject/refit/internal/schema"
)

// Effect says what an action may do to the world.
type Effect string

// The effects. ReadOnly changes nothing. Scratch creates only objects of its
// own, labelled with the run and removed as a lease, and never touches data of
// users. Mutating is everything else.
const (
	ReadOnly Effect = "readOnly"
	Scratch  Effect = "scratch"
	Mutating Effect = "mutating"
)

// Gate says what a step with this action waits for; empty for actions that do
// something themselves. Gates are carried out by the core, not by Run.
type Gate string

// The gates.
const (
	GateApproval  Gate = "approval"
	GateCondition Gate = "condition"
	GateSoak      Gate = "soak"
	GatePerson    Gate = "person"
)

// Spec is what planning knows of an action: everything but its functions.
type Spec struct {
	// Name is family.verb, such as "helm.upgrade".
	Name string
	// Version is the version of the contract, from 1; a plan pins it.
	Version int
	// Summary is one sentence.
	Summary string
	Effect  Effect
	// Input and Output are closed Objects derived from the action's structs.
	Input, Output schema.Type
	// Gate is set for actions that wait.
	Gate Gate
	// CanUndo tells that the action has an inverse; WhyNoUndo says why not.
	CanUndo   bool
	WhyNoUndo string
	// UndoField names the input field that makes the inverse possible, when it
	// depends on the input: without it a step has no inverse and WhyNoUndo
	// says so. Empty when CanUndo says it all. See Undoable.
	UndoField string
	// ObserveField names the input field without which a lost attempt cannot
	// be observed: Observe then answers Unknown once an attempt was started,
	// and a person has to settle the step. Empty when the effect can always be
	// observed. See Observable.
	ObserveField string
	// CanLease tells that the action records a value before and a value set,
	// so that a temporary change can be given back.
	CanLease bool
	// Resumable tells that Run may be repeated after a partial effect.
	Resumable bool
	// Selects tells that the action picks out what it acts on when it starts, by
	// rules in its input. A step says with the key select how much that may be.
	// Observe answers NotStarted with the Members before the first attempt, also
	// when there are none, and Done when none of Env.Members is left.
	Selects bool
	// MaxProof is the highest level of proof that a backup made by this action
	// can reach; 0 for actions that are not backups.
	MaxProof int
	// RestoreWith names the action that brings the data back from a backup
	// made by this one; empty for actions that are not backups.
	RestoreWith string
	// Targets are the kinds of target that the action acts on; empty when it
	// needs none.
	Targets []string
	// Programs are the external programs that the action starts; doctor looks
	// for them.
	Programs []string
	// Typical and Worst are estimates of the duration when the step gives none;
	// zero means not known.
	Typical, Worst time.Duration
}

// ID returns the name with the version of the contract: "helm.upgrade@1".
func (s Spec) ID() string { return fmt.Sprintf("%s@%d", s.Name, s.Version) }

// Undoable tells whether a step with the input in has an inverse, and if not,
// why. It needs the names of the fields only, so it may be asked while values
// are still expressions.
func (s Spec) Undoable(in map[string]any) (bool, string) {
	if !s.CanUndo {
		return false, s.WhyNoUndo
	}
	if s.UndoField != "" && in[s.UndoField] == nil {
		return false, s.WhyNoUndo
	}
	return true, ""
}

// Observable tells whether the effect of a step with the input in can still be
// observed after an attempt whose result was lost. If not, a crash during the
// step leaves it in doubt, and repeating it is never safe.
func (s Spec) Observable(in map[string]any) bool {
	return s.ObserveField == "" || in[s.ObserveField] != nil
}

// Catalog is where planning looks up actions. It is safe for concurrent use.
type Catalog interface {
	// Spec returns the action that is called name: "helm.upgrade" for its
	// newest version or "helm.upgrade@1" for that one.
	Spec(name string) (Spec, bool)
	// Names returns the names of all actions without versions, sorted.
	Names() []string
}
