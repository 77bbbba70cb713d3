package book

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// prefix stands before every error.
const prefix = "guestbook: "

// Exit codes: what was asked for is so, is not so, there was an error, or it is so
// by half.
const (
	exitYes   = 0
	exitNo    = 1
	exitError = 2
	exitHalf  = 3
)

// sayf writes one line. Whoever does not read it misses nothing that matters.
func sayf(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }

// Main carries out the command line of a release and returns its exit code.
func (r Release) Main(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		sayf(stderr, "%s", usage)
		return exitError
	}
	flags := flag.NewFlagSet("guestbook "+args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", ".", "folder of the guestbook")
	c := &command{release: r, flags: flags, out: stdout, err: stderr}
	run := c.named(args[0])
	if run == nil {
		sayf(stderr, "%sthere is no command %q\n%s", prefix, args[0], usage)
		return exitError
	}
	if err := flags.Parse(args[1:]); err != nil {
		return exitError
	}
	c.folder = folder(*dir)
	code, err := run(context.Background())
	if err != nil {
		sayf(stderr, "%s%s", prefix, strings.ReplaceAll(err.Error(), "\n", "; "))
		return exitError
	}
	return code
}

const usage = `usage: guestbook COMMAND [--dir FOLDER] [ARGUMENT]...

  start        begin to serve in the background, and wait until there are answers
  stop         end the server, and wait until it has ended
  serve        answer visitors until a signal comes
  status       say which release serves; --is running, --is stopped: exit code 0 or 1
  write        add an entry: AUTHOR and MESSAGE
  import       add the entries of a file, while nobody serves: NAME
  maintenance  show the maintenance mode, or set it: on or off; --by, --message
  count        say how many entries there are, and a digest of what they say
  check        add an entry, read it and take it back
  migrate      take the database to the schema of this release; --check, --is-done
  copy         write the database to another file: NAME
  version      say which release this is`

// command is one command line.
type command struct {
	release Release
	folder  folder
	flags   *flag.FlagSet
	out     io.Writer
	err     io.Writer
}

// named declares the flags of a command and returns what carries it out.
func (c *command) named(name string) func(context.Context) (int, error) {
	switch name {
	case "start":
		return done(func(ctx context.Context) error { return c.release.start(ctx, c.folder, c.out) })
	case "stop":
		return done(func(ctx context.Context) error { return stop(ctx, c.folder, c.out) })
	case "serve":
		return done(func(ctx context.Context) error { return c.release.serveUntilSignal(ctx, c.folder, c.err) })
	case "status":
		return c.status()
	case "write":
		return done(c.write)
	case "import":
		return done(c.importFile)
	case "maintenance":
		return done(c.maintenance())
	case "count":
		return done(c.count)
	case "check":
		return done(c.check)
	case "migrate":
		return c.migrate()
	case "copy":
		return done(c.copy)
	case "version":
		return done(func(context.Context) error { sayf(c.out, "guestbook %s", c.release.Version); return nil })
	}
	return nil
}

// done is a command that either does what it is asked for or fails.
func done(f func(context.Context) error) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) { return exitYes, f(ctx) }
}

func (c *command) status() func(context.Context) (int, error) {
	is := c.flags.String("is", "", "running (this release serves) or stopped (nobody does)")
	return func(context.Context) (int, error) {
		by, err := c.folder.owner()
		if err != nil {
			return 0, err
		}
		if by == nil {
			sayf(c.out, "stopped")
		} else {
			sayf(c.out, "release %s is running", by.Version)
		}
		var so bool
		switch *is {
		case "":
			so = true
		case "stopped":
			so = by == nil
		case "running":
			so = by != nil && by.Version == c.release.Version
		default:
			return 0, fmt.Errorf("--is %q is neither running nor stopped", *is)
		}
		if so {
			return exitYes, nil
		}
		return exitNo, nil
	}
}

func (c *command) write(ctx context.Context) error {
	if c.flags.NArg() != 2 {
		return errors.New("write takes an author and a message")
	}
	s, err := c.folder.server()
	if err != nil {
		return err
	}
	in := map[string]string{"author": c.flags.Arg(0), "message": c.flags.Arg(1)}
	var out struct {
		ID int64 `json:"id"`
	}
	if err := s.do(ctx, http.MethodPost, "/api/entries", in, &out); err != nil {
		return err
	}
	sayf(c.out, "entry %d was written", out.ID)
	return nil
}

func (c *command) maintenance() func(context.Context) error {
	by := c.flags.String("by", os.Getenv("USER"), "who sets the mode")
	message := c.flags.String("message", "", "what visitors are told")
	return func(ctx context.Context) error {
		s, err := c.folder.server()
		if err != nil {
			return err
		}
		var mode Maintenance
		switch what := c.flags.Arg(0); what {
		case "":
			err = s.get(ctx, "/api/maintenance", &mode)
		case "on", "off":
			in := Maintenance{On: what == "on", By: *by, Message: *message}
			err = s.do(ctx, http.MethodPut, "/api/maintenance", in, &mode)
		default:
			err = fmt.Errorf("maintenance %q is neither on nor off", what)
		}
		if err != nil {
			return err
		}
		text := map[bool]string{true: "on", false: "off"}[mode.On]
		if mode.By != "" {
			text += ", set by " + mode.By
		}
		if mode.Message != "" {
			text += ": " + mode.Message
		}
		sayf(c.out, "maintenance is %s", text)
		return nil
	}
}

func (c *command) count(ctx context.Context) error {
	s, err := c.folder.server()
	if err != nil {
		return err
	}
	var n counted
	if err := s.get(ctx, "/api/count", &n); err != nil {
		return err
	}
	sayf(c.out, "%d entries, digest %s", n.Entries, n.Digest)
	return nil
}

func (c *command) check(ctx context.Context) error {
	s, err := c.folder.server()
	if err != nil {
		return err
	}
	if err := s.do(ctx, http.MethodPost, "/api/check", nil, nil); err != nil {
		return err
	}
	sayf(c.out, "an entry was written, read and taken back")
	return nil
}

func (c *command) migrate() func(context.Context) (int, error) {
	rehearse := c.flags.Bool("check", false, "migrate a copy and count its entries")
	isDone := c.flags.Bool("is-done", false,
		"only tell whether the migration is done: exit code 0, 1 when it has not begun, 3 half-way")
	maxSize := c.flags.Int64("max-size", 0, "what the database may have at most, in bytes (default: no limit)")
	duplicates := c.flags.String("duplicates", "keep", "keep or drop entries that say the same as an earlier one")
	return func(ctx context.Context) (code int, err error) {
		settings, err := c.folder.settings()
		if err != nil {
			return 0, err
		}
		if *duplicates != "keep" && *duplicates != "drop" {
			return 0, fmt.Errorf("--duplicates %q is neither keep nor drop", *duplicates)
		}
		switch {
		case *isDone:
			return c.migrated(ctx, settings.Database)
		case *rehearse:
			return exitYes, c.release.rehearse(ctx, settings.Database, c.out)
		}
		lock, err := c.folder.lock()
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, lock.Close()) }()
		o := MigrateOptions{MaxSize: *maxSize, DropDuplicates: *duplicates == "drop"}
		return exitYes, c.release.migrate(ctx, settings.Database, o, c.out)
	}
}

// migrated tells whether a database has the schema of the release.
func (c *command) migrated(ctx context.Context, path string) (code int, err error) {
	db, err := openFile(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	at, err := schemaOf(ctx, db)
	if err != nil {
		return 0, err
	}
	sayf(c.out, "the database has schema revision %d", at)
	first := c.release.Schema
	if len(c.release.Revisions) > 0 {
		first = c.release.Revisions[0].To
	}
	switch {
	case at == c.release.Schema:
		return exitYes, nil
	case at < first:
		return exitNo, nil
	case at < c.release.Schema:
		return exitHalf, nil
	}
	return 0, fmt.Errorf("release %s knows no later one than %d", c.release.Version, c.release.Schema)
}

func (c *command) copy(ctx context.Context) error {
	if c.flags.NArg() != 1 {
		return errors.New("copy takes the name of a file")
	}
	settings, err := c.folder.settings()
	if err != nil {
		return err
	}
	to := c.flags.Arg(0)
	if err := copyDatabase(ctx, settings.Database, c.folder.file(to)); err != nil {
		return err
	}
	sayf(c.out, "the database was copied to %s", to)
	return nil
}
