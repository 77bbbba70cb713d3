package service_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/service"
)

func TestDoctorState(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ reason, dir, want string }{
		"Fits":       {"A folder that can be made is well.", "a/b/c", "pass StateAbsent"},
		"None":       {"Without a place for it nothing can be hashed.", "", "fail StateUnknown"},
		"BelowFile":  {"Nothing can be made below a file.", "file/state", "fail StateUnreadable"},
		"Impossible": {"In /proc not even the superuser makes folders.", "/proc/refit/state", "fail StateImpossible"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, map[string]string{"file": ""})
			dir := tc.dir
			if dir != "" && !strings.HasPrefix(dir, "/") {
				dir = w.path(dir)
			}
			got := doctorFinding(t, dir, "", "state")
			if text := string(got.Outcome) + " " + got.Reason; text != tc.want {
				t.Errorf("%s got %s (%s), want %s", tc.reason, text, got.Message, tc.want)
			}
			if entries, err := os.ReadDir(w.dir); err != nil || len(entries) != 1 {
				t.Errorf("the folder holds %v (%v), want nothing new", entries, err)
			}
		})
	}
}

// TestDoctorTellsTheError has a warning before the error that makes the
// platform file fail.
func TestDoctorTellsTheError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"platform.yaml": platformFile + "inputs:\n  a: \"${x}\"\n  b: 1\n",
		"procedure.yaml": strings.Replace(procedureFile(), "observe:",
			"inputs: {a: {type: string}, b: {type: string}}\nobserve:", 1),
	})
	got := doctorFinding(t, w.path("state"), w.path("platform.yaml"), "platform")
	if !strings.Contains(got.Message, ":7:6: error: ") {
		t.Errorf("got %q, want the error", got.Message)
	}
}

// doctorFinding examines a service whose state folder is dir and returns the
// finding called name.
func doctorFinding(t *testing.T, dir, platformFile, name string) plan.Finding {
	t.Helper()
	registry, err := action.NewRegistry([]action.Action{peek(&log{}), fileRead()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := service.New(service.Options{
		Registry: registry, Shipped: fstest.MapFS{}, Version: "v1", StateDir: dir, Now: time.Now,
		LookPath: func(string) (string, error) { return "", nil }, Progress: func(service.Note) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	result, err := s.Doctor(t.Context(), service.DoctorRequest{Platform: platformFile})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Findings {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("there is no finding %q in %v", name, result.Findings)
	return plan.Finding{}
}
