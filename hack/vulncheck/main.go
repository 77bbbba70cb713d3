// Command vulncheck runs govulncheck and keeps three outcomes apart: nothing
// known, something found, and could not ask because the vulnerability database
// is out of reach. The last one never looks like the first one.
//
// The database is https://vuln.go.dev, or what GOVULNDB names: the address of a
// mirror, or file:///path of a copy. With REFIT_VULN=required, "could not ask"
// is a failure too.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const publicDatabase = "https://vuln.go.dev"

func main() {
	program := flag.String("program", "govulncheck", "path of govulncheck")
	dir := flag.String("dir", ".", "folder of the module to check")
	flag.Parse()
	patterns := flag.Args()
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	s := scan{
		Program: *program, Dir: *dir, Patterns: patterns,
		Database: os.Getenv("GOVULNDB"), Required: os.Getenv("REFIT_VULN") == "required",
	}
	if err := s.run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "vuln:", err)
		os.Exit(1)
	}
}

// scan is one call of govulncheck.
type scan struct {
	Program, Dir string
	Patterns     []string
	// Database is an address; empty means the public one.
	Database string
	// Required makes a database out of reach a failure.
	Required bool
}

// govulncheck ends with this code when it has found something.
const exitFound = 3

// run prints govulncheck's findings to out. It returns an error when something
// was found, when the check itself failed, and, if the database is required,
// when it could not be asked.
func (s scan) run(out io.Writer) error {
	db := s.Database
	if db == "" {
		db = publicDatabase
	}
	if err := checkMirror(db); err != nil {
		return err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(s.Program, append([]string{"-C", s.Dir, "-test", "-db", db}, s.Patterns...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		_, err = fmt.Fprintf(out, "vuln: no known vulnerability is reached (database %s)\n", db)
		return err
	case !errors.As(err, &exit):
		return fmt.Errorf("start %s: %w", s.Program, err)
	case exit.ExitCode() == exitFound:
		_, _ = io.Copy(out, &stdout)
		return errors.New("known vulnerabilities are reached, see above")
	case couldNotAsk(stderr.String()):
		return s.outOfReach(out, db, stderr.String())
	}
	_, _ = io.Copy(out, &stderr)
	return fmt.Errorf("govulncheck failed with exit code %d, see above", exit.ExitCode())
}

// couldNotAsk recognises govulncheck's two ways to say that the database did
// not answer: at the first request and at a later one.
func couldNotAsk(stderr string) bool {
	return strings.Contains(stderr, "fetching vulnerabilities") ||
		strings.Contains(stderr, "unrecognized vulndb format")
}

func (s scan) outOfReach(out io.Writer, db, cause string) error {
	cause = strings.Join(strings.Fields(cause), " ")
	line := fmt.Sprintf("vulnerabilities NOT CHECKED: %s is out of reach (%s): "+
		"set GOVULNDB to a mirror, https://… or file:///…", db, cause)
	if s.Required {
		return errors.New(line)
	}
	_, err := fmt.Fprintf(out, "vuln: %s; REFIT_VULN=required makes this a failure\n", line)
	return err
}

// checkMirror refuses a folder that holds no database: govulncheck itself
// takes an empty folder for "nothing known".
func checkMirror(db string) error {
	u, err := url.Parse(db)
	if err != nil {
		return fmt.Errorf("read GOVULNDB: %w", err)
	}
	if u.Scheme != "file" {
		return nil
	}
	for _, name := range []string{"index/db.json", "index/modules.json"} {
		file := filepath.Join(filepath.FromSlash(u.Path), filepath.FromSlash(name))
		_, plain := os.Stat(file)
		_, packed := os.Stat(file + ".gz")
		if plain != nil && packed != nil {
			return fmt.Errorf("GOVULNDB %s holds no vulnerability database: %s is not there", db, file)
		}
	}
	return nil
}
