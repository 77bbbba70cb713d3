package database_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/database"
	"github.com/refitproject/refit/internal/action/database/databasetest"
	"github.com/refitproject/refit/internal/disk/disktest"
)

// expect tests the reason of an error, its extent and a part of its text.
func expect(t *testing.T, err error, reason string, extent action.Extent, text string) {
	t.Helper()
	failed, ok := errors.AsType[*action.Error](err)
	if !ok || failed.Reason != reason || failed.Effect != extent || !strings.Contains(failed.Error(), text) {
		t.Errorf("got %v (%s, %v), want %s with extent %s and %q", err, action.ReasonOf(err), ok, reason, extent, text)
	}
	if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("an error is one line: %q", err)
	}
}

// at is the connection in an input.
func at(in map[string]any) map[string]any {
	return in["database"].(map[string]any)
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	for engine := range servers {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f := fresh(t, engine)
			in := f.Input("store", "file:store")
			in["password"] = map[string]any{"env": "ANOTHER_PASSWORD_OF_SOMEBODY"}
			_, err := database.Backup(world()).Run(t.Context(), f.Env, in, nil)
			expect(t, err, "AccessRefused", action.ExtentNone, "correct the")
			delete(in, "store")
			_, err = database.Schema(world()).Observe(t.Context(), f.Env, in)
			expect(t, err, "AccessRefused", action.ExtentNone, f.Name)
		})
	}
}

func TestServerAway(t *testing.T) {
	t.Parallel()
	for engine := range servers {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f := saved(t, engine)
			gone := databasetest.Start(t, engine)
			gone.Kill()
			in := f.Input("store", "file:store", "backup", "x")
			f.Adapt(in)
			at(in)["port"] = int64(gone.Port)
			_, err := database.Restore(world()).Observe(t.Context(), f.Env, in)
			expect(t, err, "Unreachable", action.ExtentNone, "is its address right")
			_, err = database.Restore(world()).Run(t.Context(), f.Env, in, nil)
			expect(t, err, "Unreachable", action.ExtentNone, "is its address right")
			if failed, _ := errors.AsType[*action.Error](err); failed == nil || !failed.Retryable {
				t.Error("a server that is away may come back")
			}
		})
	}
}

// TestAnotherDatabase keeps a backup of one database out of another one.
func TestAnotherDatabase(t *testing.T) {
	t.Parallel()
	for engine := range servers {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f, other := saved(t, engine), fresh(t, engine)
			in := f.Input("store", "file:store")
			f.Adapt(in)
			at(in)["name"], at(in)["user"] = other.Name, other.Name
			before := other.State(t)
			_, err := database.Restore(world()).Run(t.Context(), f.Env, in, nil)
			expect(t, err, "AnotherDatabase", action.ExtentNone, "is wanted")
			if after := other.State(t); after != before {
				t.Errorf("it has changed:\n%s\n%s", before, after)
			}
			in["elsewhere"] = true
			if _, err := database.Restore(world()).Run(t.Context(), f.Env, in, nil); err != nil {
				t.Errorf("elsewhere, as asked for: %v", err)
			}
			if err := database.Restore(world()).Undo(t.Context(), f.Env, in, nil); err != nil {
				t.Error(err)
			}
			for _, a := range []action.Action{database.Backup(world()), database.Schema(world())} {
				pinned := f.Input("identity", "postgresql:1/2")
				if a.Spec().Effect != action.ReadOnly {
					pinned["store"] = "file:store"
					_, err = a.Run(t.Context(), f.Env, pinned, nil)
				} else {
					_, err = a.Observe(t.Context(), f.Env, pinned)
				}
				expect(t, err, "AnotherDatabase", action.ExtentNone, "plan again")
			}
		})
	}
}

// TestStaysItself sees that a database that was restored is still the one that a plan
// has pinned, and can be saved and restored again.
func TestStaysItself(t *testing.T) {
	t.Parallel()
	for engine := range servers {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f := saved(t, engine)
			identity := func() string {
				seen, err := database.Schema(world()).Observe(t.Context(), f.Env, f.Input())
				if err != nil {
					t.Fatal(err)
				}
				return fmt.Sprint(seen.Output["identity"], seen.Output["revisions"])
			}
			was := identity()
			in := f.Input("store", "file:store")
			f.Adapt(in)
			if _, err := database.Restore(world()).Run(t.Context(), f.Env, in, nil); err != nil {
				t.Fatal(err)
			}
			if now := identity(); now != strings.Replace(was, "4621fec11365", "833da8570507", 1) {
				t.Errorf("it was %s, it is %s", was, now)
			}
			again := f.Env
			again.Key = databasetest.BackupKey // another step
			if _, err := database.Restore(world()).Run(t.Context(), again, in, nil); err != nil {
				t.Error(err)
			}
			if err := database.Restore(world()).Undo(t.Context(), again, in, nil); err != nil {
				t.Error(err)
			}
			if err := database.Restore(world()).Undo(t.Context(), f.Env, in, nil); err != nil {
				t.Error(err)
			}
			if now := identity(); now != was {
				t.Errorf("it was %s, after the way back it is %s", was, now)
			}
		})
	}
}

// TestInUse refuses to restore beneath a program that is connected, and ends its
// session when that is asked for.
func TestInUse(t *testing.T) {
	t.Parallel()
	for engine := range servers {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f := saved(t, engine)
			in := f.Input("store", "file:store")
			f.Adapt(in)
			f.Server.Hold(t, f.Name)
			before := f.State(t)
			_, err := database.Restore(world()).Run(t.Context(), f.Env, in, nil)
			expect(t, err, "DatabaseInUse", action.ExtentNone, "is in use by")
			if after := f.State(t); after != before {
				t.Errorf("it has changed:\n%s\n%s", before, after)
			}
			if engine == "postgresql" { // who is no superuser cannot end the session of one
				_, err = database.Restore(world()).Run(t.Context(), f.Env, with(in, "disconnect", true), nil)
				expect(t, err, "PrivilegeMissing", action.ExtentNone, "")
				f.Server.Exec(t, "", "ALTER ROLE "+f.Name+" SUPERUSER")
			} else {
				f.Server.Exec(t, "", "GRANT SUPER ON *.* TO "+f.Name)
			}
			if _, err := database.Restore(world()).Run(t.Context(), f.Env, with(in, "disconnect", true), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLeaving waits for a client that is about to leave, as one of the step before that
// the server has not yet missed.
func TestLeaving(t *testing.T) {
	t.Parallel()
	for engine := range servers {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f := saved(t, engine)
			in := f.Input("store", "file:store")
			f.Adapt(in)
			time.AfterFunc(500*time.Millisecond, f.Server.Hold(t, f.Name))
			if _, err := database.Restore(world()).Run(t.Context(), f.Env, in, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func with(in map[string]any, key string, value any) map[string]any {
	in[key] = value
	return in
}

// TestBackupWhileWritten counts what is in the dump, not what has come since.
func TestBackupWhileWritten(t *testing.T) {
	t.Parallel()
	for engine := range servers {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f := fresh(t, engine)
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan int)
			go func() {
				n := 10
				for ; ctx.Err() == nil; n++ {
					f.Server.Exec(t, f.Name, fmt.Sprintf("INSERT INTO users VALUES (%d, 'late', false)", n)) //nolint:contextcheck // A row that was begun is written.
				}
				done <- n
			}()
			_, err := database.Backup(world()).Run(t.Context(), f.Env, f.Input("store", "file:store"), nil)
			stop()
			if n := <-done; n < 12 {
				t.Errorf("only %d rows were written meanwhile", n)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFullStore leaves nothing on the server and says where room is needed.
func TestFullStore(t *testing.T) {
	t.Parallel()
	for engine := range servers {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f := fresh(t, engine)
			small := disktest.Small(t, "1m")
			if err := os.WriteFile(filepath.Join(small, "fill"), make([]byte, 1<<20-16<<10), 0o600); err != nil {
				t.Fatal(err)
			}
			f.Server.Exec(t, f.Name, "CREATE TABLE noise (t TEXT)")
			if engine == "postgresql" {
				f.Server.Exec(t, f.Name, "GRANT SELECT ON noise TO "+f.Name, "INSERT INTO noise SELECT md5(n::text) || md5((-n)::text) FROM generate_series(1, 5000) n")
			} else {
				f.Server.Exec(t, f.Name, "INSERT INTO noise SELECT concat(md5(seq), md5(-seq)) FROM seq_1_to_5000")
			}
			before := f.Databases(t)
			_, err := database.Backup(world()).Run(t.Context(), f.Env, f.Input("store", "file://"+small), nil)
			expect(t, err, "StoreFull", action.ExtentPartial, "make room")
			if after := f.Databases(t); len(after) != len(before) {
				t.Errorf("it has left %v", after)
			}
		})
	}
}

// TestTools says which program is missing, and which are too old: the one here is a
// stand-in that says a version and does nothing.
func TestTools(t *testing.T) {
	t.Parallel()
	for engine := range servers {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f := fresh(t, engine)
			folder := t.TempDir()
			in := f.Input("store", "file:store")
			at(in)["via"] = map[string]any{"folder": folder}
			_, err := database.Backup(world()).Run(t.Context(), f.Env, in, nil)
			expect(t, err, "ToolMissing", action.ExtentNone, "there is none")
			name, says := "pg_dump", "pg_dump (PostgreSQL) 9.6.24"
			if engine == "mysql" {
				name, says = "mariadb-dump", "mariadb-dump  Ver 10.16 Distrib 10.3.39-MariaDB, for debian-linux-gnu (x86_64)"
			}
			old := "#!/bin/sh\necho '" + says + "'\n"
			if err := os.WriteFile(filepath.Join(folder, name), []byte(old), 0o700); err != nil {
				t.Fatal(err)
			}
			_, err = database.Backup(world()).Run(t.Context(), f.Env, in, nil)
			expect(t, err, "ToolMissing", action.ExtentNone, "there is only")
			expect(t, err, "ToolMissing", action.ExtentNone, says)
		})
	}
}

// TestRights takes rights away and expects the statement that gives them back; when it
// was carried out, nothing is missing.
func TestRights(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		engine  string
		take    []string
		purpose string
		want    []string
	}{
		"Alter": {
			"mysql",
			[]string{"REVOKE ALTER, DROP ON `PATTERN`.* FROM NAME"},
			"migrate",
			[]string{"lacks ALTER on `PATTERN`.*, DROP on `PATTERN`.*", "GRANT ALTER, DROP ON `PATTERN`.* TO `NAME`@`%`"},
		},
		"Scratch": {
			"mysql",
			[]string{"REVOKE ALL ON `refit\\_%`.* FROM NAME"},
			"backup",
			[]string{"ON `refit\\_%`.* TO `NAME`@`%`"},
		},
		"Process": {
			"mysql",
			[]string{"REVOKE PROCESS ON *.* FROM NAME"},
			"restore",
			[]string{"GRANT PROCESS ON *.* TO `NAME`@`%`"},
		},
		"Owner": {
			"postgresql",
			[]string{"ALTER TABLE users OWNER TO postgres"},
			"migrate",
			[]string{"ALTER and DROP (ownership) on table public.users", "ALTER TABLE public.users OWNER TO NAME"},
		},
		"Schema": {
			"postgresql",
			[]string{"REVOKE ALL ON SCHEMA public FROM PUBLIC", "ALTER SCHEMA public OWNER TO postgres"},
			"migrate",
			[]string{"GRANT CREATE ON SCHEMA public TO NAME"},
		},
		"CreateDB": {"postgresql", []string{"ALTER ROLE NAME NOCREATEDB"}, "backup", []string{"ALTER ROLE NAME CREATEDB"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fresh(t, tc.engine)
			named := strings.NewReplacer("NAME", f.Name, "PATTERN", strings.ReplaceAll(f.Name, "_", `\_`))
			in := f.Input("for", []any{tc.purpose})
			check := func() action.Observation {
				seen, err := database.CheckPrivileges(world()).Observe(t.Context(), f.Env, in)
				if err != nil {
					t.Fatal(err)
				}
				return seen
			}
			if seen := check(); seen.Status != action.Done {
				t.Fatalf("at first: %s", seen.Reason)
			}
			for _, statement := range tc.take {
				f.Server.Exec(t, f.Name, named.Replace(statement))
			}
			seen := check()
			for _, want := range tc.want {
				if seen.Status != action.Failed || !strings.Contains(seen.Reason, named.Replace(want)) {
					t.Errorf("got %s: %s\nwant %q", seen.Status, seen.Reason, named.Replace(want))
				}
			}
			_, remedy, _ := strings.Cut(seen.Reason, "let its administrator run: ")
			for statement := range strings.SplitSeq(remedy, "; ") {
				f.Server.Exec(t, f.Name, statement)
			}
			if seen := check(); seen.Status != action.Done {
				t.Errorf("after the remedy: %s", seen.Reason)
			}
		})
	}
}

// TestNotMovable refuses before anything was made.
func TestNotMovable(t *testing.T) {
	t.Parallel()
	f := saved(t, "mysql")
	f.Server.Exec(t, f.Name, "CREATE VIEW admins AS SELECT name FROM users")
	in := f.Input("store", "file:store")
	f.Adapt(in)
	before := f.Databases(t)
	_, err := database.Restore(world()).Run(t.Context(), f.Env, in, nil)
	expect(t, err, "NotMovable", action.ExtentNone, "view admins")
	if after := f.Databases(t); len(after) != len(before) {
		t.Errorf("it has left %v", after)
	}
}

// TestRestoreOfWhatIsGone makes a database that was dropped again.
func TestRestoreOfWhatIsGone(t *testing.T) {
	t.Parallel()
	f := saved(t, "postgresql")
	f.Server.Exec(t, "", "DROP DATABASE "+f.Name)
	in := f.Input("store", "file:store")
	f.Adapt(in)
	out, err := database.Restore(world()).Run(t.Context(), f.Env, in, nil)
	if err != nil || out["kept"] != nil {
		t.Fatalf("%v, %v", out, err)
	}
	if got := f.Server.Query(t, f.Name, "SELECT count(*) FROM servers"); got[0] != "2" {
		t.Errorf("it has %v servers", got)
	}
}
