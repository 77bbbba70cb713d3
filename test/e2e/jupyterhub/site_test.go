package jupyterhub

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/refitproject/refit/test/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	token    = "the-token-of-the-test-in-the-values"
	password = "the-password-of-the-database"
	release  = "jhub"
)

// The kinds of database, as hub.db.type calls them.
const (
	sqlite   = "sqlite-pvc"
	postgres = "postgres"
	mysql    = "mysql"
)

// site is a JupyterHub with its database and its users, and the folder of who runs it.
type site struct {
	*harness.Space
	t    *testing.T
	kind string
	// dir has the platform file and the values.
	dir string
	// url is where people open it.
	url string
	// run is the name of the next run.
	run string
	// values are those of the release.
	values map[string]any
	// procedure is the one of the platform file; none is that which Refit ships.
	procedure string
	// asks are the inputs that the procedure has; none is all.
	asks []string
	// accept are the findings that may pass.
	accept []any
	// inputs are added to those of the platform file.
	inputs      map[string]any
	refit, helm *harness.Program
}

// oldest and middle are releases from which the tests start: version of the chart, of
// JupyterHub, and revision of the schema. newest is where they go.
var (
	oldest = installed{"2.0.0", "3.0.0", "651f5419b74d"}
	middle = installed{"3.3.8", "4.1.6", "0eee8c825d24"}
	newest = installed{"4.4.0", "5.5.0", "4621fec11365"}
)

type installed struct{ chart, hub, schema string }

// newSite installs a JupyterHub with a database of a kind by helm, as people do, and lets
// ada work: her server runs, and a note lies in her volume.
func newSite(t *testing.T, kind string, from installed) *site {
	t.Helper()
	s := &site{
		Space: harness.New(t), t: t, kind: kind, dir: t.TempDir(), run: "hub-1", inputs: map[string]any{},
		refit: harness.NewProgram(t, harness.Refit), helm: harness.NewProgram(t, harness.Helm),
	}
	s.refit.Dir, s.helm.Dir = s.dir, s.dir
	s.refit.Env = []string{
		"XDG_STATE_HOME=" + filepath.Join(s.dir, "state"), "HUB_TOKEN=" + token, "HUB_DB_PASSWORD=" + password, "NO_COLOR=1",
		"KUBECONFIG=/nonexistent",
	}
	s.helm.Env = []string{"KUBECONFIG=" + s.Kubeconfig, "HELM_KUBECONTEXT=" + s.Context, "HELM_NAMESPACE=" + s.Name}
	s.Images("configurable-http-proxy", "jupyterhub-3", "jupyter-3", "jupyterhub-4", "jupyter-4", "jupyterhub-5", "jupyter-5")
	s.serve()
	s.values = map[string]any{
		"hub": map[string]any{
			"db": s.address(),
			"config": map[string]any{
				"JupyterHub":    map[string]any{"admin_access": true, "authenticator_class": "dummy"},
				"Authenticator": map[string]any{"allow_all": true},
			},
			"services": map[string]any{"refit": map[string]any{"apiToken": token}},
			"loadRoles": map[string]any{"refit": map[string]any{
				"services": []any{"refit"},
				"scopes":   []any{"admin:users", "list:users", "read:servers", "servers", "delete:servers"},
			}},
		},
		"singleuser": map[string]any{"storage": map[string]any{"capacity": "50Mi"}},
	}
	s.write("values.yaml", s.values)
	s.helm.Must(0, "install", release, chart(from.chart), "--values", "values.yaml", "--wait", "--timeout", "8m")
	service, err := s.Client.CoreV1().Services(s.Name).Get(t.Context(), "proxy-public", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + service.Spec.ClusterIP
	s.answers(from.hub)
	for _, user := range []string{"ada", "bob"} {
		if code, text := s.ask(t.Context(), http.MethodPost, "/hub/api/users/"+user); code != http.StatusCreated {
			t.Fatalf("make user %s: %d: %s", user, code, text)
		}
	}
	s.start("ada")
	s.Must("jupyter-ada", "sh", "-c", "echo mine > /home/jovyan/note")
	return s
}

// chart is the folder of a version of the chart.
func chart(version string) string {
	dir, err := filepath.Abs(filepath.Join("chart", version))
	if err != nil {
		panic(err) // There is no working folder.
	}
	return dir
}

// serve starts the database server, if the kind has one, with a user of its own for the
// hub.
func (s *site) serve() {
	s.t.Helper()
	env := map[string]string{
		"POSTGRES_PASSWORD": "of-the-administrator", "PGPASSWORD": "of-the-administrator",
		"MARIADB_ROOT_PASSWORD": "of-the-administrator", "MYSQL_PWD": "of-the-administrator",
	}
	var db harness.Pod
	var ask, statements []string
	switch s.kind {
	case postgres:
		ask = []string{"psql", "-h", "127.0.0.1", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-c"}
		db = harness.Pod{Name: "db", Image: "postgresql-17:17", Env: env}
		statements = []string{
			"CREATE ROLE hub LOGIN CREATEDB PASSWORD '" + password + "'", "CREATE DATABASE hub OWNER hub",
		}
		s.Images("postgresql-17")
		s.Service("db", 5432)
	case mysql:
		ask = []string{"mariadb", "-h", "127.0.0.1", "-u", "root", "-e"}
		db = harness.Pod{Name: "db", Image: "mariadb-11.8:11.8", Env: env}
		statements = []string{
			"CREATE DATABASE hub CHARACTER SET utf8mb4", "CREATE USER hub IDENTIFIED BY '" + password + "'",
			"GRANT ALL ON hub.* TO hub",
			// For the proof of the backup and the restore: see database.check-privileges.
			"GRANT ALL ON `refit\\_%`.* TO hub", "GRANT PROCESS ON *.* TO hub",
		}
		s.Images("mariadb-11.8")
		s.Service("db", 3306)
	default:
		return
	}
	db.Ready = append(slices.Clone(ask), "SELECT 1")
	s.Run(db)
	for _, statement := range statements {
		s.Must("db", append(slices.Clone(ask), statement)...)
	}
}

// address is hub.db of the values.
func (s *site) address() map[string]any {
	db := map[string]any{"type": s.kind}
	switch s.kind {
	case postgres:
		db["url"], db["password"] = "postgresql+psycopg2://hub@db:5432/hub", password
	case mysql:
		// PyMySQL does not read MYSQL_PWD.
		db["url"], db["password"] = "mysql+pymysql://hub:"+password+"@db:3306/hub", password
	default:
		db["pvc"] = map[string]any{"storage": "50Mi"}
	}
	return db
}

// platform writes the platform file.
func (s *site) platform() {
	s.t.Helper()
	database := map[string]any{"kind": s.kind}
	switch s.kind {
	case postgres:
		database["service"], database["name"], database["user"] = "db", "hub", "hub"
		database["via"] = map[string]any{"image": "localhost/refit/postgresql-17:17"}
	case mysql:
		database["service"], database["name"], database["user"] = "db", "hub", "hub"
		database["via"] = map[string]any{"image": "localhost/refit/mariadb-11.8:11.8"}
	}
	inputs := map[string]any{
		"release": release, "namespace": s.Name, "database": database, "url": s.url,
		"chart":     map[string]any{"path": filepath.Join(filepath.Dir(chart("x")), "{version}")},
		"hubImage":  "localhost/refit/jupyterhub:{hub}",
		"userImage": "localhost/refit/jupyter:{hub}",
		"token":     map[string]any{"env": "HUB_TOKEN"},
		"rehearsed": false,
	}
	if s.kind != sqlite {
		inputs["databasePassword"] = map[string]any{"env": "HUB_DB_PASSWORD"}
	}
	maps.Copy(inputs, s.inputs)
	if s.asks != nil {
		maps.DeleteFunc(inputs, func(name string, _ any) bool { return !slices.Contains(s.asks, name) })
	}
	// Runs in other namespaces of the cluster are tests that run at once.
	target := map[string]any{"kind": "kubernetes", "kubeconfig": s.Kubeconfig, "lockNamespace": s.Name}
	if s.Context != "" {
		target["context"] = s.Context
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "store"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	file := map[string]any{
		"apiVersion": "refit.dev/v1alpha1", "kind": "Platform", "metadata": map[string]any{"name": "hub"},
		"procedure": cmp.Or(s.procedure, "jupyterhub"), "targets": map[string]any{"cluster": target}, "inputs": inputs,
		"backup": map[string]any{"store": "file://" + filepath.Join(s.dir, "store")}, "allowScratch": true,
	}
	if s.accept != nil {
		file["accept"] = s.accept
	}
	s.write("platform.yaml", file)
}

// write writes a file of the folder.
func (s *site) write(name string, content any) {
	s.t.Helper()
	text, err := yaml.Marshal(content)
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, name), text, 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// plan plans the way to the newest version and returns the digest of the plan.
func (s *site) plan() string {
	s.t.Helper()
	s.platform()
	s.refit.Must(exitDone, "plan", "platform.yaml", "--to", newest.chart, "--save", "plan.json", "--replace")
	var p struct{ Digest string }
	data, err := os.ReadFile(filepath.Join(s.dir, "plan.json"))
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return p.Digest
}

// apply plans the way to the newest version and carries it out, wants the exit code and
// returns what was printed.
func (s *site) apply(code int) string {
	s.t.Helper()
	return s.refit.Must(code, "apply", "plan.json", "--digest", s.plan(), "--run", s.run)
}

// is sees that the hub is of a release, with its schema, and that users have what they
// had.
func (s *site) is(want installed, work string) {
	s.t.Helper()
	s.answers(want.hub)
	if got := s.work(); got != work {
		s.t.Errorf("users have now: %s\nbefore: %s", got, work)
	}
	if got := s.revision(); got != want.schema {
		s.t.Errorf("the schema has revision %s, want %s", got, want.schema)
	}
	list := s.helm.Must(0, "list", "--all", "--output", "yaml")
	if !strings.Contains(list, "chart: jupyterhub-"+want.chart) || !strings.Contains(list, "status: deployed") {
		s.t.Errorf("helm list: %s", list)
	}
}

// answers waits until the hub answers, as a version of JupyterHub.
func (s *site) answers(version string) {
	s.t.Helper()
	s.Within(3*time.Minute, "the hub as "+version, func(ctx context.Context) (bool, string) {
		code, text := s.ask(ctx, http.MethodGet, "/hub/api/")
		var about struct{ Version string }
		return code == http.StatusOK && json.Unmarshal([]byte(text), &about) == nil && about.Version == version,
			fmt.Sprintf("%d: %s", code, text)
	})
}

// start starts the server of a user and waits until it serves.
func (s *site) start(user string) {
	s.t.Helper()
	code, text := s.ask(s.t.Context(), http.MethodPost, "/hub/api/users/"+user+"/server")
	if code != http.StatusAccepted && code != http.StatusCreated {
		s.t.Fatalf("start the server of %s: %d: %s", user, code, text)
	}
	s.Within(4*time.Minute, "the server of "+user, func(ctx context.Context) (bool, string) {
		code, text := s.ask(ctx, http.MethodGet, "/hub/api/users/"+user)
		var u struct {
			Servers map[string]struct{ Ready bool }
		}
		return code == http.StatusOK && json.Unmarshal([]byte(text), &u) == nil && u.Servers[""].Ready,
			fmt.Sprintf("%d: %s", code, text)
	})
}

// users are the names of all users, sorted.
func (s *site) users() []string {
	s.t.Helper()
	code, text := s.ask(s.t.Context(), http.MethodGet, "/hub/api/users")
	var list []struct{ Name string }
	if code != http.StatusOK || json.Unmarshal([]byte(text), &list) != nil {
		s.t.Fatalf("list the users: %d: %s", code, text)
	}
	names := make([]string, len(list))
	for i, u := range list {
		names[i] = u.Name
	}
	slices.Sort(names)
	return names
}

// work is what users would miss: their names, the pod of ada and what lies in her volume.
func (s *site) work() string {
	s.t.Helper()
	pod, err := s.Client.CoreV1().Pods(s.Name).Get(s.t.Context(), "jupyter-ada", metav1.GetOptions{})
	if err != nil {
		s.t.Fatalf("the server of ada: %v", err)
	}
	return fmt.Sprintf("users %v, server %s, note %q", s.users(), pod.UID, s.Must("jupyter-ada", "cat", "/home/jovyan/note"))
}

// revision is the one of the schema, as the database has it.
func (s *site) revision() string {
	s.t.Helper()
	return s.sql("SELECT version_num FROM alembic_version")
}

// sql carries a statement out in the database of the hub, as its user, and returns what
// it answers.
func (s *site) sql(statement string) string {
	s.t.Helper()
	switch s.kind {
	case postgres:
		return s.Must("db", "env", "PGPASSWORD="+password, "psql", "-h", "127.0.0.1", "-U", "hub", "-d", "hub",
			"-v", "ON_ERROR_STOP=1", "-Atc", statement)
	case mysql:
		return s.Must("db", "env", "MYSQL_PWD="+password, "mariadb", "-h", "127.0.0.1", "-u", "hub",
			"--batch", "--skip-column-names", "hub", "-e", statement)
	}
	pods, err := s.Client.CoreV1().Pods(s.Name).List(s.t.Context(), metav1.ListOptions{LabelSelector: "component=hub"})
	if err != nil || len(pods.Items) == 0 {
		s.t.Fatalf("the pod of the hub: %d, %v", len(pods.Items), err)
	}
	const python = "import sqlite3, sys\nwith sqlite3.connect('/srv/jupyterhub/jupyterhub.sqlite', timeout=30) as c:\n" +
		"    for row in c.execute(sys.argv[1]): print(*row)"
	return s.Must(pods.Items[0].Name, "python3", "-c", python, statement)
}

// ask sends a request; code 0 is no answer.
func (s *site) ask(ctx context.Context, method, path string) (code int, text string) {
	return harness.Ask(ctx, method, s.url+path, token)
}
