package run

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/plan"
)

// selected judges what a step that is ready to start would act on. It may wait
// for a person, who approves this list and no other.
func (s *State) selected(f spot, list []Selected) {
	rule := f.step.Selection
	if rule == nil || f.op.What != Do || f.op.Life != Starting {
		return
	}
	approved := f.op.Selection
	f.op.Selection = list
	switch n := len(list); {
	case n > rule.Max:
		f.op.fail("TooManySelected",
			fmt.Sprintf("it would act on more than the %d members that the plan allows: %s; make a new plan",
				rule.Max, KeysOf(list)))
	case n == 0 && rule.Empty != plan.EmptyOK:
		f.op.fail("NothingSelected", "it would act on nothing, which the plan refuses")
	case !rule.Approve || n == 0:
	case f.op.SelectionBy != "" && covers(approved, list, f.op.Attempted):
	default:
		f.op.SelectionBy = ""
		f.state.Gate = &GateState{Terms: approvalOf(list)}
	}
}

// act notes what an attempt that begins acts on.
func (o *Operation) act() {
	if o.What != Do {
		return
	}
	if !o.Attempted {
		o.Acted = nil
	}
	for _, m := range o.Selection {
		if !slices.Contains(o.Acted, m) {
			o.Acted = append(o.Acted, m)
		}
	}
}

// pinned is what a look is about: what was acted on, once an attempt was begun, and
// for what takes it back.
func (o *Operation) pinned() []Selected {
	if o.What == Do && !o.Attempted {
		return nil
	}
	return o.Acted
}

// allowed is what an attempt may act on.
func (o *Operation) allowed() []Selected {
	if o.What == Do {
		return o.Selection
	}
	return o.Acted
}

// approvalOf asks for the approval of a list of members.
func approvalOf(list []Selected) Terms {
	return Terms{Kind: WaitApproval, Count: 1, Question: question(list), Selection: listDigest(list)}
}

// covers tells whether an approval of one list counts for another: it is the
// same, or, once an attempt was started, what is left of it.
func covers(approved, list []Selected, attempted bool) bool {
	if !attempted && len(approved) != len(list) {
		return false
	}
	return !slices.ContainsFunc(list, func(m Selected) bool { return !slices.Contains(approved, m) })
}

// listDigest is what an approval of a list names.
func listDigest(list []Selected) string {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b Selected) int {
		return strings.Compare(a.Key+"\n"+a.Note, b.Key+"\n"+b.Note)
	})
	sum := sha256.Sum256(encoded(sorted))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// question lists the members that a person is asked about.
func question(list []Selected) string {
	return fmt.Sprintf("%d members: %s", len(list), KeysOf(list))
}

// KeysOf names the first members of a list, for people.
func KeysOf(list []Selected) string {
	const most = 10
	keys := make([]string, 0, most+1)
	for _, m := range list[:min(len(list), most)] {
		keys = append(keys, m.Key)
	}
	if more := len(list) - most; more > 0 {
		keys = append(keys, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(keys, ", ")
}

// listed are the members of a forEach as a list for people.
func listed(members []Member) []Selected {
	list := make([]Selected, len(members))
	for i, m := range members {
		list[i] = Selected{Key: m.Key, Note: note(m.With)}
	}
	return list
}

// note is an input as it is written in events, whoever wrote it first.
func note(with json.RawMessage) string {
	if with == nil {
		return ""
	}
	return string(encoded(with))
}

// asked returns the list that a gate of a step asks about.
func (st *StepState) asked(step *plan.Step) []Selected {
	switch {
	case st.Gate == nil || st.Gate.Selection == "" || st.Op >= len(st.Ops):
		return nil
	case step.Selection != nil && st.Ops[st.Op].Life != Asleep:
		return st.Ops[st.Op].Selection
	}
	list := make([]Selected, len(st.Ops))
	for i := range st.Ops {
		list[i] = Selected{Key: st.Ops[i].Member, Note: note(st.Ops[i].With)}
	}
	return list
}
