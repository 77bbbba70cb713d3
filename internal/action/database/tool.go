package database

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
)

// call is one program to start, with what is not for its arguments.
type call struct {
	// args are the arguments without the program. fileArgument stands in them for the
	// path of a file with the secret.
	args []string
	env  map[string]string
	// secret is the content of a file that only the program can read; fileVariable is
	// the variable with its path, "" when it is in the arguments.
	secret, fileVariable string
	from                 io.Reader
	to                   io.Writer
}

// fileName names the file of a secret for exec.FileArg.
const fileName = "REFIT_SECRET_FILE"

// toolbox starts programs somewhere.
type toolbox interface {
	// candidates are the paths under which a program of one of the names may be.
	candidates(names []string) []string
	// versionOf returns what a program says of its version; "" when it is not there.
	versionOf(ctx context.Context, program string) (string, error)
	// run runs a program to its end. The error is an *action.Error.
	run(ctx context.Context, program string, c call) error
	// where says where the programs are, for messages.
	where() string
}

// version is what matters of the version of a program or server: 15.0, 10.11.
type version struct{ major, minor int }

func (v version) less(w version) bool {
	return v.major < w.major || v.major == w.major && v.minor < w.minor
}

// tool is a program that was found.
type tool struct {
	box     toolbox
	path    string
	version version
	// text is what it says of itself.
	text string
}

// find returns the program with the lowest version that fits.
func find(
	ctx context.Context, box toolbox, names []string,
	parse func(string) (version, bool), fits func(version) bool,
) (tool, error) {
	var found []tool
	var others []string
	for _, path := range box.candidates(names) {
		text, err := box.versionOf(ctx, path)
		if err != nil {
			return tool{}, err
		}
		if text == "" {
			continue
		}
		v, ok := parse(text)
		if ok && fits(v) {
			found = append(found, tool{box: box, path: path, version: v, text: text})
		} else {
			others = append(others, fmt.Sprintf("%s (%s)", path, text))
		}
	}
	if len(found) == 0 {
		why := "there is none"
		if len(others) > 0 {
			why = "there is only " + few(others)
		}
		return tool{}, failure(reasonToolMissing, "install it, or say in via where it is", false,
			"look for a %s of the right version %s: %s", names[0], box.where(), why)
	}
	return slices.MinFunc(found, func(a, b tool) int {
		switch {
		case a.version.less(b.version):
			return -1
		case b.version.less(a.version):
			return 1
		default:
			return 0
		}
	}), nil
}

// machine starts programs of this machine.
type machine struct {
	programs *exec.Runner
	folders  []string
	env      action.Env
	password string
}

// newMachine looks in folder, or where packages install programs and in PATH.
func (w World) newMachine(env action.Env, folder, password string) *machine {
	m := &machine{programs: w.Programs, env: env, password: password}
	if folder != "" {
		m.folders = []string{absolute(env, folder)}
		return m
	}
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is sound
	m.folders = append(installed, "/usr/pgsql/bin")
	for _, entry := range w.Environ {
		if path, ok := strings.CutPrefix(entry, "PATH="); ok {
			m.folders = append(m.folders, filepath.SplitList(path)...)
		}
	}
	return m
}

func (m *machine) where() string { return "on this machine" }

func (m *machine) candidates(names []string) []string {
	var found []string
	for _, folder := range m.folders {
		for _, name := range names {
			path := filepath.Join(folder, name)
			if info, err := os.Stat(path); err == nil &&
				info.Mode().IsRegular() && info.Mode()&0o111 != 0 && filepath.IsAbs(path) {
				found = append(found, path)
			}
		}
	}
	return found
}

func (m *machine) program(args []string) exec.Program {
	return exec.Program{
		Args: args, Label: filepath.Base(args[0]), Dir: os.TempDir(), Key: m.env.Key, Children: m.env.Children,
		Secrets: []string{m.password}, Log: m.env.Log,
		// What a user has set for their own sessions.
		Unset: []string{
			"PGPASSWORD", "PGSERVICE", "PGOPTIONS", "PGUSER", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE",
			"PGPASSFILE", "PGSSLMODE", "PGSSLROOTCERT",
			"MYSQL_PWD", "MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT",
		},
	}
}

func (m *machine) versionOf(ctx context.Context, program string) (string, error) {
	res, err := m.programs.Run(ctx, m.program([]string{program, "--version"}))
	if err != nil {
		return "", err
	}
	if res.ExitCode != 0 {
		return "", nil
	}
	return strings.TrimSpace(res.Stdout), nil
}

func (m *machine) run(ctx context.Context, program string, c call) error {
	p := m.program(append([]string{program}, c.args...))
	for i := range p.Args {
		p.Args[i] = strings.ReplaceAll(p.Args[i], fileArgument, exec.FileArg(fileName))
	}
	p.Env, p.To = c.env, c.to
	variable := c.fileVariable
	if variable == "" {
		variable = fileName
	}
	if c.secret != "" {
		p.Files = map[string]string{variable: c.secret}
	}
	var from *stickyReader
	if c.from != nil {
		from = &stickyReader{r: c.from}
		p.From = from
	}
	var to *stickyWriter
	if c.to != nil {
		to = &stickyWriter{w: c.to}
		p.To = to
	}
	res, err := m.programs.Run(ctx, p)
	return toolFailure(filepath.Base(program), res.ExitCode, res.Stderr, err, from, to)
}

// fileArgument stands in the arguments of a call for the path of the secret.
const fileArgument = "\x00secret\x00"

// toolFailure says why a program has failed: what it read or wrote could not be had
// or kept, or what it says itself.
func toolFailure(program string, exit int, said string, err error, from *stickyReader, to *stickyWriter) error {
	switch {
	case from != nil && from.err != nil:
		return from.err
	case to != nil && to.err != nil:
		return to.err
	case err != nil:
		return err
	case exit == 0:
		return nil
	}
	said = strings.Join(strings.Fields(said), " ")
	const most = 600
	if len(said) > most {
		said = said[:most] + "…"
	}
	out := failure(reasonToolFailed, "see the log of the step", false,
		"%s ended with exit code %d: %s", program, exit, said)
	for _, known := range []struct{ text, reason string }{
		{"permission denied", reasonPrivilegeMissing},
		{"command denied", reasonPrivilegeMissing},
		{"Access denied", reasonPrivilegeMissing},
		{"must be owner", reasonPrivilegeMissing},
		{"No space left on device", reasonServerFull},
		{"is full", reasonServerFull},
		{"could not connect", reasonUnreachable},
		{"Can't connect", reasonUnreachable},
		{"Lost connection", reasonUnreachable},
		{"server closed the connection", reasonUnreachable},
	} {
		if strings.Contains(said, known.text) {
			out.Reason, out.Retryable, out.Remedy = known.reason, true, ""
			break
		}
	}
	return out
}

// stickyReader remembers why reading has failed: a program sees the end only.
type stickyReader struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (s *stickyReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// stickyWriter remembers why writing has failed.
type stickyWriter struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (s *stickyWriter) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

var (
	seriesVersion   = regexp.MustCompile(`^(\d+)\.(\d+)`)
	leadingVersion  = regexp.MustCompile(`^(\d+)`)
	postgresVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)
	mariaVersion    = regexp.MustCompile(`(\d+)\.(\d+)\.\d+-MariaDB`)
	mysqlVersion    = regexp.MustCompile(`Ver (\d+)\.(\d+)\.\d+`)
)

// numbers returns the version that a pattern finds in a text.
func numbers(pattern *regexp.Regexp, text string) (version, bool) {
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return version{}, false
	}
	var v version
	v.major, _ = strconv.Atoi(m[1]) // they are digits
	if len(m) > 2 {
		v.minor, _ = strconv.Atoi(m[2])
	}
	return v, true
}
