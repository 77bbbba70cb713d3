package database

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/test/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// server is one of the database servers.
type server struct {
	recipe, image string
	port          int
	env           map[string]string
	mount         string
	// ask is the command that asks a server by name and has the statement last.
	ask func(host string) []string
	// version is how the answer to "which version" begins, after what is skipped.
	version string
}

func postgres(version string) server {
	return server{
		recipe: "postgresql-" + version, image: "postgresql-" + version + ":" + version, port: 5432,
		env: map[string]string{"POSTGRES_PASSWORD": "not'a $ecret", "PGPASSWORD": "not'a $ecret"}, mount: "/var/lib/postgresql/data",
		ask: func(host string) []string {
			return []string{"psql", "-h", host, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-Atc"}
		},
		version: "PostgreSQL " + version + ".",
	}
}

func mariadb(version string) server {
	return server{
		recipe: "mariadb-" + version, image: "mariadb-" + version + ":" + version, port: 3306,
		env: map[string]string{"MARIADB_ROOT_PASSWORD": "not'a $ecret", "MYSQL_PWD": "not'a $ecret"}, mount: "/var/lib/mysql",
		ask: func(host string) []string {
			return []string{"mariadb", "-h", host, "-u", "root", "--batch", "--skip-column-names", "-e"}
		},
		version: version + ".",
	}
}

// Each server serves by its Service's name to another pod, refuses who has no
// password, is reached by a forwarded port, and keeps what it acknowledged when
// it is killed.
func TestServes(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]server{
		"postgresql-15": postgres("15"), "postgresql-17": postgres("17"),
		"mariadb-10.11": mariadb("10.11"), "mariadb-11.8": mariadb("11.8"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			space := harness.New(t)
			space.Images(s.recipe)
			space.Volume("data", "500Mi")
			space.Service("db", int32(s.port))
			ask := func(host, statement string) []string { return append(s.ask(host), statement) }
			db := harness.Pod{
				Name: "db", Image: s.image, Env: s.env, Mounts: map[string]string{"data": s.mount},
				Ready: ask("127.0.0.1", "SELECT 1"),
			}
			space.Run(db)
			space.Run(harness.Pod{Name: "client", Image: s.image, Env: s.env, Command: []string{"sleep", "infinity"}})

			if v := space.Must("client", ask("db", "SELECT version()")...); !strings.HasPrefix(v, s.version) {
				t.Errorf("the server says that it is %q, want %q", v, s.version)
			}
			wrong := append([]string{"env", "PGPASSWORD=wrong", "MYSQL_PWD=wrong"}, ask("db", "SELECT 1")...)
			if text, err := space.Exec(t.Context(), "client", wrong...); err == nil {
				t.Errorf("with a wrong password it answers %q", text)
			}
			greet(t, space.Forward("db", s.port), s.port)

			for _, statement := range []string{
				"CREATE SCHEMA shop", "CREATE TABLE shop.orders (n integer PRIMARY KEY)",
				"INSERT INTO shop.orders VALUES (1), (2), (3)",
			} {
				space.Must("client", ask("db", statement)...)
			}
			// As when its node is lost: nobody is told to end.
			space.Remove("db", true)
			space.Run(db)
			space.Within(time.Minute, "the Service after the kill", func(ctx context.Context) (bool, string) {
				text, err := space.Exec(ctx, "client", ask("db", "SELECT sum(n) FROM shop.orders")...)
				return err == nil && strings.TrimSpace(text) == "6", text
			})
		})
	}
}

// greet sees that a server speaks its protocol at an address of this machine.
func greet(t *testing.T, address string, port int) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if port == 5432 {
		// May I encrypt? It answers with one letter.
		if _, err := conn.Write([]byte{0, 0, 0, 8, 4, 210, 22, 47}); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 1)
		if _, err := io.ReadFull(conn, answer); err != nil || answer[0] != 'N' && answer[0] != 'S' {
			t.Errorf("PostgreSQL answers %q, %v", answer, err)
		}
		return
	}
	// Four bytes of a head, then version 10 of the protocol and the server's.
	greeting := make([]byte, 16)
	if _, err := io.ReadFull(conn, greeting); err != nil || greeting[4] != 10 || !strings.Contains(string(greeting), ".") {
		t.Errorf("MariaDB greets with %q, %v", greeting, err)
	}
}
