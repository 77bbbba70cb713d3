package kube

import (
	"crypto/sha256"
	"encoding/hex"
)

// What Refit leaves on objects, the same for all families.
const (
	// FieldOwner owns the fields that Refit sets.
	FieldOwner = "refit"
	// KeyAnnotation holds the key of the step that last changed an object.
	KeyAnnotation = "refit.dev/step"
	// StepLabel holds LabelValue of the key of a step, on objects of its own.
	StepLabel = "refit.dev/step-hash"
	// RunLabel holds LabelValue of what tells a run from others, on objects of its own.
	RunLabel = "refit.dev/run"
)

// LabelValue makes a value of a label, or a part of an object's name, of any text: 24
// characters that begin with a letter.
func LabelValue(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "r" + hex.EncodeToString(sum[:])[:23]
}
