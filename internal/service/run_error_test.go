package service

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// TestRunError says of every error of an engine which trouble it is, in one line.
func TestRunError(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		reason string
		err    error
		want   RunTrouble
		text   string
	}{
		"Owned": {
			"Another process drives it.", &engine.OwnedError{ID: "r", Owner: engine.Owner{PID: 7, Host: "laptop", By: "ada"}},
			TroubleOwned, "driven by process 7 on laptop (ada)",
		},
		"Stale": {"It was taken over.", engine.ErrStaleOwner, TroubleOwned, "refit watch r"},
		"Damaged": {
			"A history that cannot be believed.", &engine.DamagedError{ID: "r", Seq: 3, Err: io.ErrUnexpectedEOF}, TroubleOwn,
			"damaged at event 3",
		},
		"Unsupported": {"An older program.", &engine.UnsupportedError{ID: "r", What: "helm.upgrade@9"}, TroubleOwn, "helm.upgrade@9"},
		"Store":       {"The state folder.", &engine.StoreError{Dir: "/s", What: "it is full"}, TroubleOwn, `"/s": it is full`},
		"Moved":       {"It is elsewhere.", fmt.Errorf("run: %w", engine.ErrMoved), TroubleMoved, "not driven here"},
		"Refused":     {"Not now.", fmt.Errorf("%w: it is paused", run.ErrRefused), TroubleRefused, "refit status r"},
		"NotFound":    {"No such run.", fmt.Errorf("run %q: %w", "r", engine.ErrNotFound), TroubleUnknown, "no such run"},
		"NoExport": {
			"A file that is no run.", fmt.Errorf("import a run: %w", engine.ErrNoExport), TroubleRefused, "export the run again",
		},
		"Exists": {"The name is taken.", engine.ErrExists, TroubleUnknown, "such a run already"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := runError("r", test.err)
			got, ok := errors.AsType[*RunError](err)
			if !ok || got.Trouble != test.want || !errors.Is(err, test.err) {
				t.Fatalf("%s: got %#v", test.reason, err)
			}
			if text := err.Error(); !strings.Contains(text, test.text) || strings.Contains(text, "\n") {
				t.Errorf("%s: got %q", test.reason, text)
			}
			if again := runError("other", err); again != err { //nolint:errorlint // The same value is wanted.
				t.Errorf("it was wrapped twice: %v", again)
			}
		})
	}
	if err := runError("r", io.EOF); err != io.EOF { //nolint:errorlint // The same value is wanted.
		t.Errorf("an error of another kind became %v", err)
	}
}
