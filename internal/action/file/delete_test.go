package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/file"
)

// dumpsWorld has a folder with dumps of October and other things.
func dumpsWorld(t *testing.T) actiontest.World {
	t.Helper()
	w := actiontest.FolderWorld(t)
	october := time.Date(2026, time.October, 3, 4, 5, 6, 0, time.UTC)
	for _, name := range []string{"db-1.sql", "db-2.sql", "db-3.sql", "db-4.sql", "notes.txt"} {
		write(t, w.Env.Dir, "dumps/"+name, name, 0o600)
		if err := os.Chtimes(filepath.Join(w.Env.Dir, "dumps", name), october, october); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(w.Env.Dir, "dumps", "db-5.sql"), 0o700); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestDeleteSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{
		Action: file.Delete(file.System{}), Examples: "testdata/delete/*.yaml", World: dumpsWorld,
		Crash: crashOf(file.Delete),
	})
}

func keys(members []action.Member) []string {
	var out []string
	for _, m := range members {
		out = append(out, m.Key)
	}
	return out
}

// TestDeletePicks looks at what is picked: whole names, never what is excluded, no
// folders, nothing younger than asked for.
func TestDeletePicks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   map[string]any
		want []string
	}{
		"whole names": {map[string]any{"names": "db-.|notes"}, nil},
		"never":       {map[string]any{"names": "db-.*", "never": []any{"db-[13].*", "x"}}, []string{"db-2.sql", "db-4.sql"}},
		"one":         {map[string]any{"names": "notes.txt"}, []string{"notes.txt"}},
		"old enough":  {map[string]any{"names": "notes.*", "olderThan": "48d"}, []string{"notes.txt"}},
		"too young":   {map[string]any{"names": "notes.*", "olderThan": "50d"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := dumpsWorld(t)
			c.in["folder"] = "dumps"
			obs, err := file.Delete(file.System{}).Observe(t.Context(), w.Env, c.in)
			if err != nil || obs.Status != action.NotStarted {
				t.Fatalf("Observe: %v, %v", obs, err)
			}
			if diff := cmp.Diff(c.want, keys(obs.Members)); diff != "" {
				t.Errorf("picked (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDeleteLeavesLaterFiles lets somebody write a file with a name that was
// listed: it is another file, and stays.
func TestDeleteLeavesLaterFiles(t *testing.T) {
	t.Parallel()
	w, a := dumpsWorld(t), file.Delete(file.System{})
	in := map[string]any{"folder": "dumps", "names": "db-[12].sql"}
	obs, err := a.Observe(t.Context(), w.Env, in)
	if err != nil {
		t.Fatal(err)
	}
	w.Env.Members = obs.Members
	write(t, w.Env.Dir, "dumps/db-1.sql", "written since", 0o600)
	if _, err := a.Run(t.Context(), w.Env, in, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(w.Env.Dir, "dumps", "db-1.sql")); err != nil {
		t.Errorf("the later file: %v", err)
	}
	if _, err := os.Stat(filepath.Join(w.Env.Dir, "dumps", "db-2.sql")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file that was listed: %v", err)
	}
}

func TestDeleteErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   map[string]any
		want string
	}{
		"no folder":   {map[string]any{"folder": "nothing", "names": "x"}, "create the folder"},
		"pattern":     {map[string]any{"folder": "dumps", "names": "("}, `field "names" is no regular expression`},
		"no pattern":  {map[string]any{"folder": "dumps", "names": ""}, `field "names" must be a regular expression`},
		"never":       {map[string]any{"folder": "dumps", "names": "x", "never": []any{"a", "["}}, `field "never[1]"`},
		"a file":      {map[string]any{"folder": "dumps/notes.txt", "names": "x"}, "dumps/notes.txt"},
		"empty":       {map[string]any{"folder": "", "names": "x"}, `field "folder"`},
		"in the past": {map[string]any{"folder": "dumps", "names": "x", "olderThan": "-1s"}, "olderThan"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := dumpsWorld(t)
			_, err := file.Delete(file.System{}).Observe(t.Context(), w.Env, c.in)
			text := ""
			if failure, ok := errors.AsType[*action.Error](err); ok {
				text = err.Error() + "; " + failure.Remedy
			}
			if !strings.Contains(text, c.want) || strings.Contains(text, "\n") {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}
