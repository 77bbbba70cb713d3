package engine

import (
	"strings"

	"github.com/refitproject/refit/internal/run"
)

// EffectKey is the key that an operation has in the world, which the programs that
// are started for it carry. Undo, release and retake are about what the step did
// and find it by its key; a restore is an effect of its own.
func EffectKey(op run.Ref, key string) string {
	if op.What == run.Restore {
		return key
	}
	return strings.TrimSuffix(key, ":"+string(op.What))
}
