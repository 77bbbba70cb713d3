package yamldoc

import (
	"time"

	"github.com/refitproject/refit/internal/diag"
)

// Duration is a duration as people write it ("90s", "20m", "1h30m", "7d") with
// its position.
type Duration struct {
	Value time.Duration
	Pos   diag.Position
}

// IsSet tells whether the key was written in the file.
func (d Duration) IsSet() bool { return d.Pos.Line > 0 }

// Or returns the duration, or def when it was not written.
func (d Duration) Or(def time.Duration) time.Duration {
	if d.IsSet() {
		return d.Value
	}
	return def
}
