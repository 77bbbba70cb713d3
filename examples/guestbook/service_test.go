package guestbook_test

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestVisitors tests what visitors see of both releases: entries, a page, a search,
// the maintenance mode.
func TestVisitors(t *testing.T) {
	t.Parallel()
	g := newGuestbook(t)
	g.expect(0, "1.4.0 start", "release 1.4.0 is running at http://ADDRESS")
	g.answers("POST", "/api/entries", `{"author": " Ada ", "message": "First!"}`, `201 {"id":1,"message":"First!","name":"Ada","written":"`)
	g.answers("POST", "/", "author=Bob&message=Hello+<b>world</b>", "303 ")
	g.answers("GET", "/", "", "Hello &lt;b&gt;world&lt;/b&gt;")
	g.answers("GET", "/", "", "Release 1.4.0")
	g.answers("GET", "/health", "", `200 {"schema":3,"version":"1.4.0"}`)
	for _, bad := range []string{"", "{}", `{"author": "Ada", "message": " "}`, `{"author": "` + strings.Repeat("a", 81) + `", "message": "x"}`} {
		g.answers("POST", "/api/entries", bad, `400 {"error":"`)
	}
	g.answers("POST", "/api/entries", `{"author": "`+strings.Repeat("a", 70<<10)+`"}`, "400 ")
	g.answers("GET", "/api/count", "", `"entries":2`)

	g.expect(0, "1.4.0 maintenance --message Back_soon. on", "maintenance is on, set by ada: Back_soon.")
	refused := `503 {"error":"the guestbook takes no entries now, it can be read: Back_soon."}`
	g.answers("POST", "/api/entries", `{"author": "Cy", "message": "Me too"}`, refused)
	g.answers("GET", "/writable", "", refused)
	g.answers("GET", "/", "", "Entries can be read and not be written now. Back_soon.")
	g.answers("POST", "/api/check", "", `200 {"entriesThen":3,"written":true}`)
	g.answers("GET", "/api/count", "", `"entries":2`)
	g.expect(2, "1.4.0 write Cy Hello", "guestbook: the guestbook takes no entries now, it can be read: Back_soon.")

	g.expect(0, "1.4.0 stop", "release 1.4.0 has ended")
	g.expect(0, "2.0.0 migrate", `
revision 4 of 5: authors have a table of their own: 2 entries of 2 authors
revision 5 of 5: entries can be searched: 2 entries
the database has schema revision 5`)
	g.expect(0, "2.0.0 start", "release 2.0.0 is running at http://ADDRESS")
	g.expect(0, "2.0.0 maintenance", "maintenance is on, set by ada: Back_soon.") // It outlives the server.
	g.answers("PUT", "/api/maintenance", `{"on": false}`, `200 {"on":false,"by":"","message":""}`)
	g.expect(0, "2.0.0 write Ada Again", "entry 3 was written")
	g.answers("GET", "/writable", "", "200 ")
	g.answers("GET", "/health", "", `200 {"schema":5,"version":"2.0.0"}`)
	g.answers("GET", "/api/entries?search=aga+ada", "", "200 []") // Words are whole ones.
	g.answers("GET", "/api/entries?search=again+ada", "", `200 [{"author":{"entries":2,"name":"Ada"},"id":3,"message":"Again","written":"`)
	g.answers("GET", `/api/entries?search=%22+OR+*`, "", "200 []")
	g.answers("GET", "/?search=first", "", "<b>Ada</b> (2 in all)")
	g.expect(0, "2.0.0 check", "an entry was written, read and taken back")
}

// TestDrain tests that nothing is written any more once the maintenance mode is on.
func TestDrain(t *testing.T) {
	t.Parallel()
	g := newGuestbook(t)
	g.expect(0, "1.4.0 start", "release 1.4.0 is running at http://ADDRESS")
	var writers sync.WaitGroup
	begun := make(chan struct{}, 4)
	for range cap(begun) {
		writers.Go(func() {
			for first := true; strings.HasPrefix(g.ask("POST", "/api/entries", `{"author": "Ada", "message": "More"}`), "201 "); first = false {
				if first {
					begun <- struct{}{}
				}
			}
		})
	}
	for range cap(begun) {
		<-begun
	}
	g.answers("PUT", "/api/maintenance", `{"on": true}`, "200 ")
	drained := g.ask("GET", "/api/count", "")
	writers.Wait()
	if now := g.ask("GET", "/api/count", ""); now != drained {
		t.Errorf("%s when the mode was on, %s later", drained, now)
	}
}

// TestOneServer tests that starting and stopping can be repeated and leave no process.
func TestOneServer(t *testing.T) {
	t.Parallel()
	g := newGuestbook(t)
	g.expect(0, "1.4.0 status", "stopped")
	g.expect(0, "1.4.0 stop", "nobody serves the guestbook")
	g.expect(2, "1.4.0 maintenance", "guestbook: nobody serves the guestbook: start it first")
	g.expect(0, "1.4.0 start", "release 1.4.0 is running at http://ADDRESS")
	g.expect(0, "1.4.0 start", "release 1.4.0 is running already at http://ADDRESS")
	g.expect(2, "2.0.0 start", "guestbook: release 1.4.0 is running: stop it first")
	g.expect(0, "2.0.0 status", "release 1.4.0 is running")
	g.expect(0, "1.4.0 status --is running", "release 1.4.0 is running")
	g.expect(1, "2.0.0 status --is running", "release 1.4.0 is running")
	g.expect(1, "2.0.0 status --is stopped", "release 1.4.0 is running")
	if env, err := os.ReadFile("/proc/" + g.pid() + "/environ"); err == nil && strings.Contains(string(env), "REFIT_KEY") {
		t.Errorf("the server belongs to whoever has started it: %q", env)
	}
	pid := g.pid()
	// Many may look at once, and two may stop it.
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { g.run("1.4.0 status") })
	}
	all.Go(func() { g.run("2.0.0 stop") })
	g.run("1.4.0 stop")
	all.Wait()
	g.expect(0, "1.4.0 status --is stopped", "stopped")
	// It has given its lock back, which is the last that it does itself.
	limit := time.Now().Add(time.Minute)
	for {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("process %s is still there: %s", pid, stat)
		}
		time.Sleep(time.Millisecond)
	}
	g.expect(0, "2.0.0 stop", "nobody serves the guestbook")
	g.write("guestbook.json", `{"address": "0.0.0.0:0"}`)
	g.expect(2, "1.4.0 start", `guestbook: serve "DIR": guestbook.json: address "0.0.0.0:0" is not on this machine: write 127.0.0.1 and a port`)
	g.write("guestbook.json", `{"address": `)
	g.expect(2, "1.4.0 start", `guestbook: serve "DIR": DIR/guestbook.json: unexpected end of JSON input`)
	g.expect(2, "1.4.0 sing", "guestbook: there is no command \"sing\"\n"+usage(t, g))
}

func usage(t *testing.T, g guestbook) string {
	t.Helper()
	_, text := g.run("1.4.0 --help")
	_, text, _ = strings.Cut(text, "\n")
	return text
}

// pid is the process that serves the guestbook.
func (g guestbook) pid() string {
	g.Helper()
	data, err := os.ReadFile(g.file("guestbook.lock"))
	if err != nil {
		g.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), `"pid":`)
	pid, _, _ := strings.Cut(rest, ",")
	return pid
}

// TestMigrate tests that a migration keeps every entry, that it dies between two
// revisions and goes on, and that no release serves a schema that it does not know.
func TestMigrate(t *testing.T) {
	t.Parallel()
	g := newGuestbook(t)
	g.write("entries.txt", "Ada\tOne\nBob\tTwo\nAda\tOne\nZoë\tÜber \"quotes\"; and more\n")
	g.expect(0, "1.4.0 import entries.txt", "4 entries were written")
	g.write("bad.txt", "Ada\tOne\nnobody\n")
	g.expect(2, "1.4.0 import bad.txt", `guestbook: import "bad.txt": line 2: an entry has an author of at most 80 characters and a message of at most 2000; there is no tab between author and message`)
	before := g.rows("SELECT id || name || message || written AS line FROM entries ORDER BY id")
	g.expect(0, "1.4.0 start", "release 1.4.0 is running at http://ADDRESS")
	g.answers("GET", "/api/count", "", `200 {"entries":4,"digest":"`)
	_, count := g.run("1.4.0 count")
	g.expect(2, "2.0.0 migrate", `guestbook: folder "." is in use by release 1.4.0, process `+g.pid()+": stop it first")
	g.expect(0, "2.0.0 migrate --check", "a copy of the database was migrated to schema revision 5 and kept all 4 entries")
	g.expect(1, "2.0.0 migrate --is-done", "the database has schema revision 3")
	g.expect(0, "1.4.0 copy kept.db", "the database was copied to kept.db")
	g.expect(2, "1.4.0 copy kept.db", `guestbook: copy database "guestbook.db": there is something at "kept.db"`)
	g.expect(0, "1.4.0 stop", "release 1.4.0 has ended")
	tooOld := `guestbook: serve "DIR": database "guestbook.db" has schema revision 3, release 2.0.0 needs 5: run its command migrate`
	g.expect(2, "2.0.0 start", tooOld)

	g.expect(2, "2.0.0 migrate --max-size 24576", `
revision 4 of 5: authors have a table of their own: 4 entries of 3 authors
guestbook: migrate to schema revision 5 of 5: database or disk is full: fts5: error creating shadow table search_content: database or disk is full (13)`)
	g.expect(3, "2.0.0 migrate --is-done", "the database has schema revision 4")
	g.expect(2, "1.4.0 start", `guestbook: serve "DIR": database "guestbook.db" has schema revision 4, release 1.4.0 knows no later one than 3: start a newer release`)
	g.expect(2, "2.0.0 start", strings.Replace(tooOld, "revision 3", "revision 4", 1))
	g.expect(0, "2.0.0 migrate", "revision 5 of 5: entries can be searched: 4 entries\nthe database has schema revision 5")
	g.expect(0, "2.0.0 migrate", "the database has schema revision 5")
	g.expect(0, "2.0.0 migrate --is-done", "the database has schema revision 5")
	g.expect(2, "1.4.0 migrate", `guestbook: database "guestbook.db" has schema revision 5, release 1.4.0 knows no later one than 3: nothing was done`)
	after := g.rows("SELECT e.id || a.name || e.message || e.written AS line FROM entries e JOIN authors a ON a.id = e.author ORDER BY e.id")
	if before != after {
		t.Errorf("before the migration there was %s, after it %s", before, after)
	}
	g.expect(0, "2.0.0 start", "release 2.0.0 is running at http://ADDRESS")
	g.expect(0, "2.0.0 count", count)
	g.expect(0, "2.0.0 stop", "release 2.0.0 has ended")

	// The copy serves the old release, and may lose what is there twice.
	if err := os.Rename(g.file("kept.db"), g.file("guestbook.db")); err != nil {
		t.Fatal(err)
	}
	g.expect(0, "2.0.0 migrate --duplicates drop", `
revision 4 of 5: authors have a table of their own: 3 entries of 3 authors
revision 5 of 5: entries can be searched: 3 entries
the database has schema revision 5`)
}
