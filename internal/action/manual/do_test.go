package manual_test

import (
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/manual"
)

func TestDoSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{Action: manual.Do(), Examples: "testdata/do/*.yaml"})
}

func TestDoIsReversibleByInstructions(t *testing.T) {
	t.Parallel()
	spec := manual.Do().Spec()
	if spec.Effect != action.Mutating || spec.Gate != action.GatePerson {
		t.Errorf("unexpected spec: %+v", spec)
	}
	if ok, why := spec.Undoable(map[string]any{"instructions": "x"}); ok || why == "" {
		t.Errorf("without undo: got %v, %q", ok, why)
	}
	if ok, _ := spec.Undoable(map[string]any{"undo": "y"}); !ok {
		t.Error("with undo the work can be taken back")
	}
}

func TestDoPreviewIsOneLine(t *testing.T) {
	t.Parallel()
	in := map[string]any{"instructions": "\nFirst do this.\nThen that.\n"}
	preview, err := manual.Do().Preview(t.Context(), action.Env{}, in)
	if want := "wait until a person has done: First do this. …"; err != nil || preview.Summary != want {
		t.Errorf("got %q, %v, want %q", preview.Summary, err, want)
	}
}

func TestDoRefuses(t *testing.T) {
	t.Parallel()
	for want, in := range map[string]map[string]any{
		`field "instructions" is empty`:          {"instructions": " \n"},
		`field "evidence" holds "ticket number"`: {"instructions": "x", "evidence": []any{"ticket number"}},
		`field "evidence" names "ticket" twice`:  {"instructions": "x", "evidence": []any{"ticket", "ticket"}},
	} {
		_, err := manual.Do().Observe(t.Context(), action.Env{}, in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to hold %q", err, want)
		}
	}
}
