package database

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
)

// The engines.
const (
	enginePostgreSQL = "postgresql"
	engineMySQL      = "mysql"
	engineSQLite     = "sqlite"
)

// Connection says which database is meant and how it is reached.
type Connection struct {
	Engine    string `json:"engine" enum:"postgresql,mysql,sqlite" doc:"Whose database it is; mysql stands for MariaDB too."`
	Name      string `json:"name,omitempty" doc:"Name of the database on its server; not of SQLite."`
	User      string `json:"user,omitempty" doc:"User to connect as."`
	Host      string `json:"host,omitempty" doc:"Name or address of the server, or the absolute path of its socket: the folder of PostgreSQL's, the file of MySQL's."`
	Service   string `json:"service,omitempty" doc:"Service of the cluster to reach it through, instead of host; a port is forwarded."`
	Port      int    `json:"port,omitempty" doc:"Port of the server or of the service; default 5432 or 3306."`
	TLS       string `json:"tls,omitempty" enum:"off,prefer,require,verify" doc:"Whether the connection is encrypted: off, if the server can (prefer, the default), always (require), always and to a server whose certificate is of its name (verify)."`
	CA        string `json:"ca,omitempty" doc:"File with the certificates that tls verify trusts, relative to the platform file; default those of the system."`
	Namespace string `json:"namespace,omitempty" doc:"Namespace of service, pod and claim; needed with one of them."`
	Path      string `json:"path,omitempty" doc:"Database file of SQLite: absolute, as the pod sees it, or relative to the root of the claim."`
	Pod       string `json:"pod,omitempty" doc:"Pod that has the volume with the file of SQLite, by its name or by labels such as component=hub."`
	Claim     string `json:"claim,omitempty" doc:"Claim of the volume with the file of SQLite, which a short-lived pod of via.image mounts."`
	Via       *Via   `json:"via,omitempty" doc:"Where the programs of the database are run; default this machine, and with pod that pod."`
}

// Via says where programs are run.
type Via struct {
	Folder    string `json:"folder,omitempty" doc:"Folder of this machine with the programs; default those of PATH and where packages install them."`
	Pod       string `json:"pod,omitempty" doc:"Pod with the programs, by its name or by labels; they reach the server by host and port, or by the name of the service."`
	Container string `json:"container,omitempty" doc:"Container of the pod; default its first."`
	Image     string `json:"image,omitempty" doc:"Image with the programs, for a pod that lives as long as the action."`
}

// targets are the kinds of target that the actions act on: a cluster, or what this
// machine can reach.
func targets() []string { return []string{kube.KindTarget, "host"} }

func (c Connection) via() Via {
	if c.Via == nil {
		return Via{}
	}
	return *c.Via
}

// usesCluster tells whether the database, or a program for it, is reached through a
// cluster.
func (c Connection) usesCluster() bool {
	return c.Service != "" || c.Pod != "" || c.Claim != "" || c.via().Pod != "" || c.via().Image != ""
}

// access is what an account must be permitted to reach the database through a cluster,
// nothing where it is reached without one.
func (c Connection) access() []action.Access {
	if !c.usesCluster() {
		return nil
	}
	of := func(resource string, verbs ...string) action.Access {
		return action.Access{Resource: resource, Namespace: c.Namespace, Verbs: verbs}
	}
	list := []action.Access{of("pods", "get", "list")}
	if c.Service != "" {
		service := of("services", "get")
		service.Names = []string{c.Service}
		list = append(list, service, of("pods/portforward", "create", "get"))
	}
	if c.Pod != "" || c.Claim != "" {
		list = append(list, of("persistentvolumeclaims", "get"))
	}
	if c.Pod != "" || c.Claim != "" || c.via().Pod != "" || c.via().Image != "" {
		list = append(list, of("pods/exec", "create", "get"))
	}
	if c.Claim != "" || c.via().Image != "" {
		list = append(list, of("pods", "create", "delete"))
	}
	return list
}

func (c Connection) port() int {
	usual := 5432
	if c.Engine == engineMySQL {
		usual = 3306
	}
	return cmp.Or(c.Port, usual)
}

// kind is what a backup of the database holds.
func (c Connection) kind() backup.Kind {
	return map[string]backup.Kind{
		enginePostgreSQL: backup.PostgreSQL, engineMySQL: backup.MySQL, engineSQLite: backup.SQLite,
	}[c.Engine]
}

// String names the database for people and for the series of its backups: without
// user and password.
func (c Connection) String() string {
	if c.Engine == engineSQLite {
		return "sqlite:" + c.Namespace + "/" + cmp.Or(c.Claim, c.Pod) + ":" + c.Path
	}
	host := c.Host
	if c.Service != "" {
		host = c.Service + "." + c.Namespace
	}
	return fmt.Sprintf("%s://%s:%d/%s", c.Engine, host, c.port(), c.Name)
}

// series is the usual name of a series of backups.
func (c Connection) series() string {
	base := c.Name
	if c.Engine == engineSQLite {
		base = path.Base(c.Path)
	}
	var b strings.Builder
	for _, r := range strings.ToLower(base) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else {
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String(), "-")
	return cmp.Or(name[:min(len(name), 60)], "database")
}

func (c Connection) check() error {
	for _, f := range []struct{ name, value string }{
		{"name", c.Name},
		{"user", c.User},
		{"host", c.Host},
		{"service", c.Service},
		{"path", c.Path},
		{"pod", c.Pod},
		{"claim", c.Claim},
		{"namespace", c.Namespace},
	} {
		if strings.ContainsAny(f.value, "\x00\r\n") {
			return fmt.Errorf("field \"database.%s\" must be on one line", f.name)
		}
	}
	if c.usesCluster() && c.Namespace == "" {
		return errors.New("field \"database.namespace\" is missing: it says where service, pod and claim are")
	}
	if v := c.via(); v.Pod != "" && v.Image != "" {
		return errors.New("field \"database.via\" has a pod and an image: give one of them")
	}
	if c.Engine == engineSQLite {
		return c.checkFile()
	}
	return c.checkServer()
}

func (c Connection) checkFile() error {
	switch {
	case c.Name != "" || c.User != "" || c.Host != "" || c.Service != "" || c.Port != 0 || c.TLS != "" || c.CA != "":
		return errors.New("field \"database\": a file of SQLite has path with pod or claim, and nothing of a server; " +
			"archive.backup saves one of this machine")
	case c.Path == "" || (c.Pod == "") == (c.Claim == ""):
		return errors.New("field \"database\" of SQLite needs path, and either pod or claim")
	case c.Pod != "" && !path.IsAbs(c.Path):
		return errors.New("field \"database.path\" must be absolute with pod: it is as the pod sees it")
	case c.Claim != "" && (path.IsAbs(c.Path) || !localPath(c.Path)):
		return errors.New("field \"database.path\" must be below the root of the claim")
	case c.Claim != "" && c.via().Image == "":
		return errors.New("field \"database.via.image\" is missing: a pod of it mounts the claim; it needs python3")
	case c.via().Folder != "" || c.via().Pod != "":
		return errors.New("field \"database.via\" of SQLite takes image and container only")
	}
	return nil
}

// localPath tells whether a path stays below where it begins.
func localPath(p string) bool {
	clean := path.Clean(p)
	return clean == p && clean != "." && clean != ".." && !strings.HasPrefix(clean, "../")
}

func (c Connection) checkServer() error {
	switch {
	case c.Path != "" || c.Pod != "" || c.Claim != "":
		return errors.New("field \"database\": path, pod and claim are of SQLite only")
	case c.Name == "" || c.User == "" || (c.Host == "") == (c.Service == ""):
		return errors.New("field \"database\" needs name, user, and either host or service")
	case strings.HasPrefix(c.Name, "refit_"):
		return errors.New("field \"database.name\" begins with refit_, as those that Refit makes for itself")
	case c.Engine == enginePostgreSQL && len(c.Name) > 63, len(c.Name) > 64:
		return errors.New("field \"database.name\" is longer than a database can be called")
	case c.Port < 0 || c.Port > 65535:
		return errors.New("field \"database.port\" is no port")
	case c.CA != "" && c.TLS != "verify":
		return errors.New("field \"database.ca\" says nothing without tls: verify")
	case c.CA != "" && (c.via().Pod != "" || c.via().Image != ""):
		return errors.New("field \"database.ca\" is a file of this machine, and programs of a pod cannot read it")
	case c.via().Container != "" && c.via().Pod == "":
		return errors.New("field \"database.via.container\" says nothing without a pod")
	}
	return nil
}

// address is where the server is reached from this machine. Close ends the way there.
type address struct {
	host string
	port int
	// name is what its certificate is of.
	name  string
	close func()
}

func (a address) socket() bool { return strings.HasPrefix(a.host, "/") }

func (a address) portText() string { return strconv.Itoa(a.port) }
