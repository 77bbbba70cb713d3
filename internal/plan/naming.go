package plan

import "strings"

// How the author's way back from a stage, and its steps, are called.
const (
	AbortSuffix = "/abort"
	AbortPrefix = "abort/"
)

// StepPath names a step for people, or a stage when step is empty. Of a step of an
// author's way back both the stage and the step say "abort": it is said once.
func StepPath(stage, step string) string {
	if step == "" {
		return stage
	}
	if strings.HasPrefix(step, AbortPrefix) {
		stage = strings.TrimSuffix(stage, AbortSuffix)
	}
	return stage + "/" + step
}
