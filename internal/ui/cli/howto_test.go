package cli_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocsHowTo tests the how-to page.
func TestDocsHowTo(t *testing.T) {
	t.Parallel()
	testPage(t, "../../../docs/how-to/plan-and-check.md")
}

// TestDocsStart tests the page about a new platform.
func TestDocsStart(t *testing.T) {
	t.Parallel()
	testPage(t, "../../../docs/how-to/start-a-platform.md")
}

// TestDocsApply tests the page about carrying a plan out.
func TestDocsApply(t *testing.T) {
	t.Parallel()
	testPage(t, "../../../docs/how-to/apply-and-resume.md")
}

// TestDocsReport tests the page about reports.
func TestDocsReport(t *testing.T) {
	t.Parallel()
	testPage(t, "../../../docs/how-to/report-and-verify.md")
}

// TestDocsImport tests the page about runbooks.
func TestDocsImport(t *testing.T) {
	t.Parallel()
	testPage(t, "../../../docs/how-to/import-a-runbook.md")
}

// TestDocsJSON tests the page about results as JSON.
func TestDocsJSON(t *testing.T) {
	t.Parallel()
	testPage(t, "../../../docs/reference/json.md")
}

// TestDocsBackups tests the page about backups. The folder and the server have
// other names on the page.
func TestDocsBackups(t *testing.T) {
	t.Parallel()
	minio := server.Server(t)
	minio.MakeBucket(t, "backups")
	testPageAs(t, "../../../docs/how-to/backups.md", func(dir string) [][2]string {
		return [][2]string{{dir, "/srv"}, {minio.Host, "127.0.0.1:9000"}}
	}, minio.Environ()...)
}

// testPage runs the commands of a page among the files of the folder of its
// name, and compares what they print with what stands there. With -update it
// writes the output into the page.
func testPage(t *testing.T, page string) {
	t.Helper()
	testPageAs(t, page, func(string) [][2]string { return nil })
}

// testPageAs is testPage with names, of which the first is used when commands are
// run and the second stands on the page and in its files, and with more variables.
func testPageAs(t *testing.T, page string, names func(dir string) [][2]string, environ ...string) {
	t.Helper()
	testPageOf(t, page, pageOf{names: names, environ: environ, files: func(dir string) error {
		return os.CopyFS(dir, os.DirFS(strings.TrimSuffix(page, ".md")))
	}})
}

// pageOf is what a page needs that is tested.
type pageOf struct {
	// files makes the files among which the commands are run.
	files func(dir string) error
	// names are as in testPageAs.
	names   func(dir string) [][2]string
	environ []string
	// programs is a folder of programs beside refit; "" for none.
	programs string
	// masks match what is another text each time. The page shows what one run has
	// printed, and any text that a mask matches is as good in its place.
	masks []*regexp.Regexp
}

// testPageOf tests a page.
func testPageOf(t *testing.T, page string, o pageOf) {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := o.files(dir); err != nil {
		t.Fatal(err)
	}
	var used, shown []string
	for _, pair := range o.names(dir) {
		used, shown = append(used, pair[1], pair[0]), append(shown, pair[0], pair[1])
	}
	toReal, toShown := strings.NewReplacer(used...), strings.NewReplacer(shown...)
	if err := replaceIn(dir, toReal); err != nil {
		t.Fatal(err)
	}
	shell := newShell(t, dir, o.programs, o.environ...)
	var got []string
	blocks := 0
	lines := strings.Split(string(data), "\n")
	for i := 0; i < len(lines); i++ {
		got = append(got, lines[i])
		if lines[i] != "```console" {
			continue
		}
		blocks++
		for i++; lines[i] != "```"; i++ {
			if command, ok := strings.CutPrefix(lines[i], "$ "); ok {
				got = append(got, lines[i])
				for _, line := range shell(toReal.Replace(command)) {
					got = append(got, toShown.Replace(line))
				}
			}
		}
		got = append(got, lines[i])
	}
	if blocks == 0 {
		t.Error("the page has no commands")
	}
	diff := cmp.Diff(o.masked(lines), o.masked(got))
	if diff == "" {
		return
	}
	if *update {
		if err := os.WriteFile(page, []byte(strings.Join(got, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s does not show what the commands print: run make docs (-page +printed):\n%s", page, diff)
}

// masked returns lines with one text for all that a mask matches.
func (o pageOf) masked(lines []string) []string {
	out := slices.Clone(lines)
	for i := range out {
		for _, mask := range o.masks {
			out[i] = mask.ReplaceAllString(out[i], "~")
		}
	}
	return out
}

// replaceIn replaces texts in the files of a folder.
func replaceIn(dir string, texts *strings.Replacer) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if text := texts.Replace(string(data)); text != string(data) {
			return os.WriteFile(name, []byte(text), 0o600)
		}
		return nil
	})
}

// newShell returns a function that runs a command line in dir, with refit in
// its path and the programs of a folder, and returns the lines that it prints, with
// the exit code when it is not 0.
func newShell(t *testing.T, dir, programs string, environ ...string) func(command string) []string {
	t.Helper()
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test binary is the program when it is called so; see TestMain.
	if err := os.Symlink(self, filepath.Join(bin, "refit")); err != nil {
		t.Fatal(err)
	}
	if programs == "" {
		programs = bin
	}
	env := []string{
		"PATH=" + strings.Join([]string{bin, programs, os.Getenv("PATH")}, string(os.PathListSeparator)), "HOME=" + dir, "WORK=" + dir,
		"REFIT_TEST_NOW=2026-11-21T09:00:00Z", "REFIT_TEST_TERMINAL=", "NO_COLOR=1", "COLUMNS=", "GOCOVERDIR=" + t.TempDir(),
	}
	env = append(env, environ...)
	return func(command string) []string {
		if folder, ok := strings.CutPrefix(command, "cd "); ok {
			dir = filepath.Join(dir, folder)
			return nil
		}
		if !strings.ContainsAny(command, "|<;&$") {
			command = "exec " + command // Else the shell has its say when the program is killed.
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		text := string(out)
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			text += strings.NewReplacer("exit status ", "exit code ", "signal: ", "").Replace(failed.String()) + "\n"
		} else if err != nil {
			t.Fatal(err)
		}
		if text == "" {
			return nil
		}
		return strings.Split(strings.TrimRight(text, "\n"), "\n")
	}
}
