package sim

import (
	"slices"
	"strings"
)

// rule says in which states events are never accepted, and why.
type rule struct {
	events, states []string
	why            string
}

// impossible says why an event cannot be accepted in a state, or nothing.
func impossible(p Pair) string {
	for _, r := range rules() {
		if slices.Contains(r.events, p.Event) && slices.Contains(r.states, p.State) {
			return r.why
		}
	}
	return ""
}

// rules lists pairs that cannot be; each is offered by the simulator too, and a
// run that accepts one fails.
//
//nolint:lll // A row of the table is one line.
func rules() []rule {
	operations := []string{"Observed", "AskFailed", "OperationStarted", "OperationEnded", "IssuesMatched", "Settled"}
	release := []string{"ReleaseRequested", "OwnerChanged", "TimerFired"}
	alive := without(events(), slices.Concat(operations, release))
	looks := []string{"ConditionAnswered", "SoakObserved"}
	ended := prefixed("run ", "RolledBack", "PartlyRolledBack", "Cancelled", "Succeeded", "Failed")
	return []rule{
		{events()[1:], []string{"run Planned"}, "nothing comes before Started"},
		{[]string{"Started"}, without(names("run ", statuses()), []string{"run Planned"}), "a run starts once"},
		{
			[]string{"Started"},
			without(names("stage ", parts()), []string{"stage ahead"}),
			"no stage was entered before the run started",
		},

		{alive, ended, "after the end only leases are given back"},
		{
			slices.Concat(operations, []string{"ReleaseRequested", "TimerFired"}),
			[]string{"run Succeeded"},
			"a run succeeds only when all leases were given back, so nothing is left to do",
		},
		{
			slices.Concat(operations, []string{"ReleaseRequested", "TimerFired"}),
			[]string{"run RolledBack"},
			"a rollback gives back all leases, also those of earlier stages, and ends when nothing is under way",
		},
		{
			alive,
			[]string{"stage over"},
			"a stage that is over is left by the same event, but for the last, behind which only leases are given back",
		},

		{[]string{"Observed"}, others("observing"), "an observation answers only what is asked"},
		{[]string{"AskFailed"}, others("observing"), "it answers only what is asked"},
		{[]string{"OperationStarted"}, others("starting"), "an attempt begins only behind its observation"},
		{[]string{"OperationEnded"}, others("running"), "only an attempt that was started ends"},
		{[]string{"IssuesMatched"}, others("matching"), "it answers only what is asked"},
		{[]string{"Settled"}, others("inDoubt", "asking"), "only what is in doubt, or cannot be asked about, is settled"},
		{[]string{"TimerFired"}, others("asking", "polling", "resting", "running"), "nothing else waits for time"},

		{
			[]string{"OperationStarted", "OperationEnded", "IssuesMatched"},
			prefixed("run ", "Waiting", "Halted"),
			"what may start, runs or looks for known issues lets the run be Running, Paused or RollingBack",
		},
		{[]string{"OperationStarted"}, []string{"run Paused"}, "a pause holds the next attempt"},
		{
			[]string{"StageChecked", "StageAskFailed", "WindowAnswered", "StepResolved"},
			prefixed("run ", "Waiting", "Halted"),
			"while the facts, the window or a value is asked for the run is Running, Paused or RollingBack",
		},

		{
			slices.Concat(looks, []string{"WindowAnswered", "StepResolved", "AbortRequested"}),
			[]string{"stage ahead"},
			"nothing of the stage was begun or asked for yet",
		},
		{[]string{"Approved"}, []string{"stage ahead"}, "the facts that it has to name are not known yet"},
		{[]string{"ConditionAnswered", "StepResolved", "WindowAnswered"}, partsBut("working"), "only steps ask for it"},
		{[]string{"SoakObserved"}, partsBut("working", "soaking"), "a soak is a step, or stands behind the stage"},
		{[]string{"Approved"}, partsBut("working", "gated"), "the gate stands before a stage, or is a step"},
		{[]string{"AbortRequested"}, prefixed("stage ", "checking", "gated"), "nothing of the stage was begun: it is cancelled"},

		{[]string{"PauseRequested"}, []string{"run Paused", "run RollingBack"}, "it is paused, or the way back is not paused"},
		{[]string{"ResumeRequested"}, prefixed("run ", "Halted", "RollingBack"), "it is not paused, and stands before no stage"},
		{[]string{"RetryRequested"}, []string{"run RollingBack"}, "nothing has failed: a rollback that has stopped is Halted"},
		{[]string{"ReleaseRequested"}, []string{"run Paused", "run RollingBack"}, "a pause and the way back keep the leases"},
		{
			slices.Concat(looks, []string{
				"Approved", "WindowAnswered", "StepResolved", "UntilRequested", "Replanned", "AbortRequested", "Accepted",
			}),
			[]string{"run RollingBack"},
			"the way back asks for none of it",
		},
		{[]string{"RollbackRequested"}, []string{"run RollingBack"}, "it is being rolled back already"},
		{[]string{"RollbackApproved"}, prefixed("run ", "Running", "Waiting", "Paused", "Halted"), "only a rollback waits for it"},
	}
}

func without(list, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(gone, s) })
}

func prefixed(prefix string, list ...string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = prefix + s
	}
	return out
}

func names[T ~string](prefix string, list []T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = prefix + string(s)
	}
	return out
}

// others are all lives of an operation but some.
func others(but ...string) []string {
	var out []string
	for _, l := range lives() {
		if !slices.Contains(but, string(l)) {
			out = append(out, "operation "+orAsleep(string(l)))
		}
	}
	return out
}

func orAsleep(life string) string {
	if strings.TrimSpace(life) == "" {
		return "asleep"
	}
	return life
}

// partsBut are all parts of a stage but some.
func partsBut(but ...string) []string {
	return without(names("stage ", parts()), prefixed("stage ", but...))
}
