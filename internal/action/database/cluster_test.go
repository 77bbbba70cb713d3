package database_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/database"
	"github.com/refitproject/refit/internal/action/database/databasetest"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

// inCluster is a database server of an image, in a namespace of the test.
type inCluster struct {
	*kubetest.Space
	t              *testing.T
	engine, image  string
	env            action.Env
	pod, container string
}

// clusterWorld reaches clusters as well.
func clusterWorld(s *kubetest.Space) database.World {
	w := world()
	w.Kube = s.Connector
	return w
}

// serve starts a server and waits until it answers.
func serve(t *testing.T, recipe, engine string) *inCluster {
	t.Helper()
	s := kubetest.New(t)
	s.Images(recipe)
	product, version, _ := strings.Cut(recipe, "-")
	c := &inCluster{Space: s, t: t, engine: engine, image: "localhost/refit/" + recipe + ":" + version, pod: "db", container: "db"}
	c.env = s.Env()
	c.env.Origin = s.Name
	if err := os.Mkdir(filepath.Join(c.env.Dir, "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	port, variable, ready := 5432, "POSTGRES_PASSWORD", "psql -h 127.0.0.1 -U postgres -c 'SELECT 1'"
	if product == "mariadb" {
		port, variable, ready = 3306, "MARIADB_ROOT_PASSWORD", "mariadb -h 127.0.0.1 -u root -e 'SELECT 1'"
	}
	s.Apply(fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: db}
spec:
  selector: {app: db}
  ports: [{port: %[1]d, targetPort: sql}]
---
apiVersion: v1
kind: Pod
metadata: {name: db, labels: {app: db}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: db
    image: %[2]s
    imagePullPolicy: IfNotPresent
    env: [{name: %[3]s, value: %[4]q}, {name: PGPASSWORD, value: %[4]q}, {name: MYSQL_PWD, value: %[4]q}]
    ports: [{containerPort: %[1]d, name: sql}]
    readinessProbe: {exec: {command: [sh, -c, %[5]q]}, periodSeconds: 1, timeoutSeconds: 10}
`, port, c.image, variable, databasetest.PasswordOf(t), ready))
	c.await("db")
	return c
}

// await waits until a pod is ready.
func (c *inCluster) await(name string) {
	c.t.Helper()
	c.Within(2*kubetest.Patience, "pod "+name, func(ctx context.Context) (bool, string) {
		pod, err := c.Cluster.Typed.CoreV1().Pods(c.Name).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				return true, ""
			}
		}
		return false, fmt.Sprint(pod.Status.Phase, pod.Status.ContainerStatuses)
	})
}

// run runs a program in the pod and returns what it prints.
func (c *inCluster) run(args ...string) string {
	c.t.Helper()
	request := c.Cluster.Typed.CoreV1().RESTClient().Post().Resource("pods").Namespace(c.Name).Name(c.pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: c.container, Command: args, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(c.Cluster.Rest, "GET", request.URL().String())
	if err != nil {
		c.t.Fatal(err)
	}
	var out, errs bytes.Buffer
	err = executor.StreamWithContext(context.Background(), remotecommand.StreamOptions{Stdout: &out, Stderr: &errs})
	if err != nil {
		c.t.Fatalf("%v: %v: %s", args, err, errs.String())
	}
	return strings.TrimSpace(out.String())
}

// sql asks the server as its administrator.
func (c *inCluster) sql(db, statement string) string {
	c.t.Helper()
	if c.engine == "postgresql" {
		return c.run("psql", "-h", "127.0.0.1", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-Atc", statement, "-d", db)
	}
	return c.run("mariadb", "-h", "127.0.0.1", "-u", "root", "--batch", "--skip-column-names", "-e", statement, db)
}

func (c *inCluster) input(via map[string]any, fields ...any) map[string]any {
	user := map[string]string{"postgresql": "postgres", "mysql": "root"}[c.engine]
	at := map[string]any{"engine": c.engine, "service": "db", "namespace": c.Name, "name": "hub", "user": user}
	if via != nil {
		at["via"] = via
	}
	in := map[string]any{"password": databasetest.PasswordRef(), "database": at}
	for i := 0; i < len(fields); i += 2 {
		in[fields[i].(string)] = fields[i+1]
	}
	return in
}

// permitted is env as that of an account that may do what an action says that it needs.
func permitted(t *testing.T, a action.Action, env action.Env, in map[string]any) action.Env {
	t.Helper()
	list, known, err := a.(action.Accessor).Access(t.Context(), env, in)
	if err != nil || !known {
		t.Fatalf("it does not say what it needs: %v", err)
	}
	return kubetest.Permit(t, env, list)
}

// run runs an action with what it says that it needs.
func run(t *testing.T, a action.Action, env action.Env, in map[string]any) (map[string]any, error) {
	t.Helper()
	return a.Run(t.Context(), permitted(t, a, env, in), in, nil)
}

// TestClusterServers saves, proves and restores a database in a cluster, which is
// reached by a forwarded port, with the programs of its own pod and with those of a pod
// that is made of its image.
func TestClusterServers(t *testing.T) {
	t.Parallel()
	for recipe, engine := range map[string]string{
		"postgresql-15": "postgresql", "postgresql-17": "postgresql", "mariadb-10.11": "mysql", "mariadb-11.8": "mysql",
	} {
		t.Run(recipe, func(t *testing.T) {
			t.Parallel()
			c := serve(t, recipe, engine)
			w := clusterWorld(c.Space)
			c.sql(map[string]string{"postgresql": "postgres", "mysql": "mysql"}[engine], "CREATE DATABASE hub")
			for _, statement := range []string{
				"CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(40))",
				"CREATE TABLE servers (id INTEGER PRIMARY KEY, user_id INTEGER, FOREIGN KEY (user_id) REFERENCES users (id))",
				"CREATE TABLE alembic_version (version_num VARCHAR(32))", "INSERT INTO alembic_version VALUES ('833da8570507')",
				"INSERT INTO users VALUES (1, 'ada'), (2, 'bob')", "INSERT INTO servers VALUES (1, 1)",
			} {
				c.sql("hub", statement)
			}
			for name, via := range map[string]map[string]any{
				"Pod": {"pod": "app=db"}, "Image": {"image": c.image},
			} {
				env := c.env
				env.Key = "run-1/" + name
				before := c.State(t)
				out, err := run(t, database.Backup(w), env, c.input(via, "store", "file:store", "series", "hub"))
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if out["rows"] != int64(4) || out["proof"] != int64(3) || !strings.Contains(fmt.Sprint(out["server"]), recipe[strings.Index(recipe, "-")+1:]) {
					t.Errorf("%s: %v", name, out)
				}
				c.sql("hub", "DELETE FROM servers")
				c.sql("hub", "CREATE TABLE half_migrated (n INTEGER)")
				in := c.input(via, "store", "file:store", "backup", out["backup"])
				if _, err := run(t, database.Restore(w), env, in); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if n := c.sql("hub", "SELECT count(*) FROM servers"); n != "1" {
					t.Errorf("%s: restored %s servers", name, n)
				}
				if err := database.Restore(w).Undo(t.Context(), permitted(t, database.Restore(w), env, in), in, nil); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if n := c.sql("hub", "SELECT count(*) FROM servers"); n != "0" {
					t.Errorf("%s: after the way back there are %s servers", name, n)
				}
				c.sql("hub", "DROP TABLE half_migrated")
				c.sql("hub", "INSERT INTO servers VALUES (1, 1)")
				if after := c.State(t); after != before {
					t.Errorf("%s: it has left in the namespace:\n%s\n%s", name, before, after)
				}
			}
			in := c.input(nil)
			seen, err := database.Schema(w).Observe(t.Context(), permitted(t, database.Schema(w), c.env, in), in)
			if err != nil || fmt.Sprint(seen.Output["revisions"]) != "[833da8570507]" {
				t.Errorf("schema: %v, %v", seen.Output, err)
			}
		})
	}
}

// volume has a pod that uses a database of SQLite in a volume, in WAL mode, as a hub.
func volume(t *testing.T) *inCluster {
	t.Helper()
	s := kubetest.New(t)
	s.Images("jupyterhub-3")
	c := &inCluster{Space: s, t: t, engine: "sqlite", image: "localhost/refit/jupyterhub:3.0.0", pod: "hub", container: "hub"}
	c.env = s.Env()
	c.env.Origin = s.Name
	if err := os.Mkdir(filepath.Join(c.env.Dir, "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.Apply(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: hub-db-dir}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 100Mi}}}
`)
	c.start()
	c.python("import sqlite3; db = sqlite3.connect('/srv/jupyterhub/data/jupyterhub.sqlite'); db.executescript('''" +
		"PRAGMA journal_mode = WAL; CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, 'ada'), (2, 'bob');" +
		"CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('833da8570507');''')")
	return c
}

// start starts the pod of the hub.
func (c *inCluster) start() {
	c.t.Helper()
	c.Apply(`
apiVersion: v1
kind: Pod
metadata: {name: hub, labels: {component: hub}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: hub
    image: ` + c.image + `
    imagePullPolicy: IfNotPresent
    command: [sleep, infinity]
    securityContext: {runAsUser: 0}
    volumeMounts: [{name: data, mountPath: /srv/jupyterhub/data, subPath: sub}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: hub-db-dir}}]
`)
	c.await("hub")
}

// stop removes it.
func (c *inCluster) stop() {
	c.t.Helper()
	pods, now := c.Cluster.Typed.CoreV1().Pods(c.Name), int64(0)
	if err := pods.Delete(context.Background(), "hub", metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		c.t.Fatal(err)
	}
	c.Within(kubetest.Patience, "the end of the pod", func(ctx context.Context) (bool, string) {
		_, err := pods.Get(ctx, "hub", metav1.GetOptions{})
		return err != nil, "it is there"
	})
}

func (c *inCluster) python(program string) string { return c.run("python3", "-c", program) }

func (c *inCluster) users() string {
	return c.python("import sqlite3; print(sqlite3.connect('/srv/jupyterhub/data/jupyterhub.sqlite').execute(" +
		"'SELECT count(*) FROM users').fetchone()[0], __import__('os').listdir('/srv/jupyterhub/data'), " +
		"[f for f in __import__('os').listdir('/tmp') if 'refit' in f])")
}

// TestClusterSQLite saves a database while it is written to, refuses to restore it
// beneath the hub, restores it when the hub is stopped, and brings back what was there.
func TestClusterSQLite(t *testing.T) {
	t.Parallel()
	c := volume(t)
	w := clusterWorld(c.Space)
	running := map[string]any{
		"engine": "sqlite", "namespace": c.Name, "pod": "component=hub", "path": "/srv/jupyterhub/data/jupyterhub.sqlite",
	}
	stopped := map[string]any{
		"engine": "sqlite", "namespace": c.Name, "claim": "hub-db-dir", "path": "sub/jupyterhub.sqlite",
		"via": map[string]any{"image": c.image},
	}
	writing := "import sqlite3, threading, time\ndb = sqlite3.connect('/srv/jupyterhub/data/jupyterhub.sqlite', timeout=30)\n" +
		"for n in range(200): db.execute(\"INSERT INTO users (name) VALUES ('late')\"); db.commit(); time.sleep(0.02)\n"
	done := make(chan struct{})
	go func() { defer close(done); c.python(writing) }()
	env := c.env
	env.Key = databasetest.BackupKey
	out, err := run(t, database.Backup(w), env, map[string]any{"database": running, "store": "file:store", "series": "hub"})
	if err != nil {
		t.Fatal(err)
	}
	<-done
	rows, _ := out["rows"].(int64)
	if rows < 3 || out["proof"] != int64(3) {
		t.Errorf("backup: %v", out)
	}
	if users := c.users(); !strings.HasPrefix(users, "202 ") || !strings.HasSuffix(users, " []") {
		t.Errorf("after the backup: %s", users)
	}
	in := map[string]any{"database": running, "store": "file:store", "backup": out["backup"]}
	_, err = run(t, database.Restore(w), c.env, in)
	expect(t, err, "DatabaseInUse", action.ExtentNone, "pod hub")
	in["database"] = stopped
	_, err = run(t, database.Restore(w), c.env, in)
	expect(t, err, "DatabaseInUse", action.ExtentNone, "pod hub")
	c.stop()
	if _, err := run(t, database.Restore(w), c.env, in); err != nil {
		t.Fatal(err)
	}
	seen, err := database.Restore(w).Observe(t.Context(), c.env, in)
	if err != nil || seen.Status != action.Done || seen.Output["kept"] == nil {
		t.Errorf("observed %v, %v", seen, err)
	}
	schema, err := database.Schema(w).Observe(t.Context(), c.env, map[string]any{"database": stopped})
	if err != nil || fmt.Sprint(schema.Output["revisions"]) != "[833da8570507]" || schema.Output["identity"] != out["saved"] {
		t.Errorf("schema: %v, %v, the backup is of %v", schema.Output, err, out["saved"])
	}
	c.start()
	if users := c.users(); !strings.HasPrefix(users, fmt.Sprint(rows-1, " ")) {
		t.Errorf("restored: %s, want %d", users, rows-1)
	}
	c.stop()
	if err := database.Restore(w).Undo(t.Context(), permitted(t, database.Restore(w), c.env, in), in, nil); err != nil {
		t.Fatal(err)
	}
	c.start()
	if users := c.users(); !strings.HasPrefix(users, "202 ") || strings.Contains(users, "refit") {
		t.Errorf("after the way back: %s", users)
	}
}
