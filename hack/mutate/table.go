package main

// mutant switches one rule off.
type mutant struct {
	// rule says which, file where it stands; new is written in the place of old,
	// which must be there exactly once.
	rule, file, old, new string
}

// mutants lists the rules that block, each with how it is switched off.
func mutants() []mutant {
	const (
		runs  = "internal/run/"
		plans = "internal/plan/"
	)
	return []mutant{
		{
			"preflight: a check that has not passed", runs + "work.go",
			"&& !s.over(Place{at.Stage, j}) {\n\t\t\treturn false", "&& false {\n\t\t\treturn false",
		},
		{
			"finding: fail blocks", plans + "types.go",
			"(f.Outcome == Fail || f.Outcome == UnknownOutcome) && f.Accepted == nil",
			"f.Outcome == UnknownOutcome && f.Accepted == nil",
		},
		{
			"finding: unknown blocks", plans + "types.go",
			"(f.Outcome == Fail || f.Outcome == UnknownOutcome) && f.Accepted == nil",
			"f.Outcome == Fail && f.Accepted == nil",
		},
		{
			"finding: one of the plan or of the check of a stage blocks", runs + "follow.go",
			"|| s.blocked(v.id) != nil", "|| false",
		},
		{
			"finding: an acceptance needs a person", runs + "after.go",
			"\t\t\treturn f.Accepted != nil", "\t\t\treturn true",
		},
		{
			"finding: an acceptance expires", plans + "build.go",
			"case a.Expires < now.Format(time.DateOnly):", "case false:",
		},
		{
			"facts: an expected fact or a target has changed", runs + "follow.go",
			"|| len(st.Changed) > 0 ||", "||",
		},
		{
			"facts: the expected value is compared", plans + "facts.go",
			"observed.Digest == e.Digest && sameValue(observed.Value, e.Value)", "true",
		},
		{
			"facts: the identity of a target is compared", plans + "facts.go",
			"if identities[t.Name] != t.Identity {", "if false {",
		},
		{"approval: a gate waits for it", runs + "follow.go", "|| !allPassed(st.Gates) ||", "||"},
		{"approval: it is for the digest of the stage", runs + "on_approved.go", "e.Digest != v.plan.Digest || ", ""},
		{"approval: it is for the facts", runs + "on_approved.go", " || e.Facts != st.Facts {", " {"},
		{"approval: it does not outlive the facts", runs + "on_stage_checked.go", "if e.Facts != st.Facts {", "if false {"},
		{
			"approval: only those who may", runs + "gate.go",
			"case len(g.From) == 0 || slices.Contains(g.From, w.By):", "case true:",
		},
		{
			"approval: as many as the plan asks for", runs + "gate.go",
			"g.Passed = len(g.By) >= max(g.Count, 1)", "g.Passed = true",
		},
		{
			"window: it is open", runs + "work.go",
			"s.early(at) && !s.Stages[at.Stage].Rechecked || s.Stages[at.Stage].Window.Open", "true",
		},
		{
			"window: what is left fits step and way back", runs + "work.go",
			"return !now.Add(need).After(w.ClosesAt)", "return need >= 0",
		},
		{
			"window: the way back does not ask for it", runs + "on_window_answered.go",
			"s.Stages[s.Stage].Part == PartWorking && !s.ending()", "true",
		},
		{
			"order: a step waits for what it needs", runs + "work.go",
			"\t\tdefault:\n\t\t\treturn false, \"\"\n", "\t\tdefault:\n",
		},
		{
			"order: a step is skipped when all its needs have ended", runs + "work.go",
			"case s.tolerated(place):\n\t\t\t\tfailed = cmp.Or(failed, v.steps[n].ID)",
			"case s.tolerated(place):\n\t\t\t\treturn false, v.steps[n].ID",
		},
		{
			"order: phases are barriers", runs + "work.go",
			"return v.phase[at.Step] <= low && (!again || v.phase[at.Step] <= inPreflight) ||", "return low >= 0 || again ||",
		},
		{
			"order: one user of a resource at a time", runs + "work.go",
			"\tif name == \"\" {\n\t\treturn false", "\tif true {\n\t\treturn false",
		},
		{"order: no more steps at once than permitted", runs + "work.go", "active >= s.Parallel || ", ""},
		{
			"order: a check does not wait for a change", plans + "order.go",
			"steps[j].Phase != Prepare && q.startsAfter(i, j)", "q == nil",
		},
		{
			"attempts: an unclear end is observed", runs + "observe.go",
			"\to.Unclear = true\n\to.Deadline = time.Time{}\n\to.observe()\n",
			"\to.Deadline = time.Time{}\n\to.again(now, r, patient)\n",
		},
		{
			"attempts: a new owner observes first", runs + "on_owner_changed.go",
			"case Observing, Asking, Starting, Active, Polling:\n\t\t\top.observe()",
			"case Observing, Asking, Starting, Active, Polling:",
		},
		{
			"attempts: what cannot be known is in doubt", runs + "observe.go",
			"\t\to.doubt(orElse(e.Reason, \"Unknown\"), e.Message)", "\t\to.ready(e)",
		},
		{
			"attempts: what is under way is not run again", runs + "observe.go",
			"case \"inProgress\":\n\t\to.poll(now, r)\n\tcase \"done\":\n\t\to.finish(e.Output, e.OutputArtefact)\n\tcase \"failed\":",
			"case \"inProgress\":\n\t\to.ready(e)\n\tcase \"done\":\n\t\to.finish(e.Output, e.OutputArtefact)\n\tcase \"failed\":",
		},
		{
			"lease: a value of somebody else stays", runs + "observe.go",
			"case Changed:\n\t\to.fail(\"TargetChanged\",", "case Changed:\n\t\to.ready(e)\n\tcase \"never\":\n\t\to.fail(\"TargetChanged\",",
		},
		{
			"lease: no retry while a quiesce is given back", runs + "on_retry_requested.go",
			"if s.releasing() {", "if false {",
		},
		{
			"lease: no retry without the quiesce", runs + "on_retry_requested.go",
			"if id := s.lostQuiesce(); id != \"\" {", "if id := s.lostQuiesce(); false {",
		},
		{
			"rollback: the point of no return is named", runs + "on_rollback_requested.go",
			"crossed && !e.Partly {", "crossed && false {",
		},
		{
			"rollback: the point of no return is not crossed", runs + "build.go",
			"if s.stepHappened(at) && s.oneWay(at) {", "if false {",
		},
		{
			"rollback: losing data needs an approval", runs + "back.go",
			"return b.Built && b.Restores && b.ApprovedBy == \"\"", "return false",
		},
		{
			"rollback: the approval is for the plan", runs + "on_rollback_approved.go",
			"case e.Digest != s.Digest:", "case false:",
		},
		{"owner: a stale epoch is refused", runs + "on_owner_changed.go", "if e.Epoch <= s.Epoch {", "if false {"},
		{
			"person: a pause holds the next step", runs + "locate.go",
			"return s.Paused || s.ending()", "return s.ending()",
		},
		{
			"person: an end holds the next step", runs + "locate.go",
			"return s.Back != nil || s.Cancelling || s.Aborting", "return false",
		},
		{
			"coverage: a backup ends before the change", plans + "coverage.go",
			"if !c.seq.before(b, changer) {", "if false {",
		},
		{
			"coverage: a backup begins behind the quiesce", plans + "coverage.go",
			"\t\tif !c.seq.before(q, b) {", "\t\tif false {",
		},
		{
			"coverage: a quiesce holds until the change", plans + "coverage.go",
			"if !c.held(q, changers) {", "if false {",
		},
		{
			"coverage: a component is quiesced", plans + "coverage.go",
			"\tif !quiesced {\n\t\treturn \"reads", "\tif false {\n\t\treturn \"reads",
		},
		{"coverage: a backup is certain to run", plans + "coverage.go", "case c.conditional[b]:", "case false:"},
		{
			"coverage: a backup may not fail unseen", plans + "coverage.go",
			"if c.mayFail[b] && !c.seq.requires(changer, b) {", "if false {",
		},
		{
			"coverage: the proof reaches what is written", "internal/procedure/data.go",
			"if s.Proof > t.Spec.MaxProof {", "if false {",
		},
		{
			"coverage: the proof reaches what the component needs", "internal/procedure/data.go",
			"case t.Source.Proof == 0 && c.DefaultProof() > t.Spec.MaxProof:", "case c.DefaultProof() < 0:",
		},
		{"digest: a stage that was changed", plans + "digest.go", "if digest != s.Digest {", "if digest == \"\" {"},
		{"digest: a plan that was changed", plans + "digest.go", "if root != p.Digest || ", "if root == \"\" || "},
	}
}
