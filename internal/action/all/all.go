package all

import (
	"fmt"
	nethttp "net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/archive"
	"github.com/refitproject/refit/internal/action/database"
	"github.com/refitproject/refit/internal/action/exec"
	"github.com/refitproject/refit/internal/action/file"
	"github.com/refitproject/refit/internal/action/gate"
	"github.com/refitproject/refit/internal/action/helm"
	"github.com/refitproject/refit/internal/action/http"
	"github.com/refitproject/refit/internal/action/image"
	"github.com/refitproject/refit/internal/action/jupyterhub"
	kubeaction "github.com/refitproject/refit/internal/action/kube"
	"github.com/refitproject/refit/internal/action/manual"
	notifyaction "github.com/refitproject/refit/internal/action/notify"
	"github.com/refitproject/refit/internal/action/rehearsal"
	secretaction "github.com/refitproject/refit/internal/action/secret"
	"github.com/refitproject/refit/internal/action/target"
	"github.com/refitproject/refit/internal/action/values"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/notify"
)

// Clients are how actions reach the world. Tests put their own in their place.
type Clients struct {
	HTTP     *nethttp.Client
	Programs *exec.Runner
	Host     target.HostSource
	Kube     *kube.Connector
	// Objects saves and restores what is in namespaces.
	Objects  kubeaction.World
	Helm     helm.World
	Archive  archive.World
	Database database.World
	Secret   secretaction.World
	Sender   notifyaction.Sender
	// Sent remembers which steps have sent their message.
	Sent       notifyaction.Ledger
	JupyterHub jupyterhub.World
	// Charts renders charts for values.migrate; nil refuses to.
	Charts values.Renderer
}

// NewClients returns the real clients. Programs get the environment environ,
// as "NAME=value". What is remembered is kept in the state folder that it names.
func NewClients(environ []string) Clients {
	client := &nethttp.Client{Transport: http.Transport()}
	stores := backup.Opener{Environ: environ, Transport: storeTransport()}
	tools := []backup.Tool{{Name: "go", Version: runtime.Version()}}
	clusters, programs := kube.NewConnector(environ), exec.NewRunner(environ)
	return Clients{
		Database: database.World{
			Stores: stores, Hostname: os.Hostname, Tools: tools, Programs: programs, Environ: environ, Kube: clusters,
		},
		Archive:  archive.World{Stores: stores, Hostname: os.Hostname, Tools: tools},
		Secret:   secretaction.World{Open: stores.Open, Hostname: os.Hostname, Tools: tools},
		Kube:     clusters,
		Objects:  kubeaction.World{Kube: clusters, Stores: stores, Hostname: os.Hostname, Tools: tools},
		Helm:     helm.World{Clusters: clusters, Stores: stores},
		Charts:   helm.Renderer{},
		HTTP:     client,
		Sender:   notify.Sender{HTTP: client},
		Sent:     notifyaction.Ledger{Dir: stateDir(environ, "notify", "sent")},
		Programs: programs,
		Host:     target.ThisHost(),
		JupyterHub: jupyterhub.World{
			HTTP: client, Forward: jupyterhub.PortForward{Kube: clusters},
			Done: jupyterhub.Ledger{Dir: stateDir(environ, "jupyterhub", "tried")},
		},
	}
}

// storeTransport carries requests to S3 servers. One that takes a request and says
// nothing for so long has gone.
func storeTransport() nethttp.RoundTripper {
	transport := http.Transport()
	transport.ResponseHeaderTimeout = time.Minute
	transport.DisableCompression = true // what is stored is compressed
	return transport
}

// stateDir is a folder below the state folder, "" when there is none.
func stateDir(environ []string, below ...string) string {
	for _, entry := range environ {
		if dir, ok := strings.CutPrefix(entry, action.StateVariable+"="); ok && dir != "" {
			return filepath.Join(append([]string{dir}, below...)...)
		}
	}
	return ""
}

// Actions returns all actions, in the order of their names.
func Actions(c Clients) []action.Action {
	return []action.Action{
		archive.Backup(c.Archive),
		archive.Restore(c.Archive),
		archive.Verify(c.Archive),
		database.Backup(c.Database),
		database.CheckPrivileges(c.Database),
		database.Restore(c.Database),
		database.Schema(c.Database),
		database.Verify(c.Database),
		exec.Command(c.Programs),
		exec.Observe(c.Programs),
		exec.Shell(c.Programs),
		file.Copy(file.System{}),
		file.Delete(file.System{}),
		file.EditYAML(file.System{}),
		file.Match(),
		file.Read(),
		gate.Approval(),
		gate.Condition(),
		gate.Soak(),
		helm.RBAC(c.Helm),
		helm.Release(c.Helm),
		helm.Rollback(c.Helm),
		helm.Uninstall(c.Helm),
		helm.Upgrade(c.Helm),
		http.Check(c.HTTP),
		http.Get(c.HTTP),
		http.Request(c.HTTP),
		image.Version(c.Kube),
		jupyterhub.Check(c.JupyterHub),
		jupyterhub.Spawn(c.JupyterHub),
		jupyterhub.StartServers(c.JupyterHub),
		jupyterhub.StopServers(c.JupyterHub),
		jupyterhub.Users(c.JupyterHub),
		kubeaction.Apply(c.Kube),
		kubeaction.Backup(c.Objects),
		kubeaction.Check(c.Kube),
		kubeaction.Delete(c.Kube),
		kubeaction.Exec(c.Kube),
		kubeaction.Job(c.Kube),
		kubeaction.Patch(c.Kube),
		kubeaction.Prepull(c.Kube),
		kubeaction.RBAC(c.Kube),
		kubeaction.Restore(c.Objects),
		kubeaction.Scale(c.Kube),
		kubeaction.Verify(c.Objects),
		kubeaction.Version(c.Kube),
		kubeaction.Wait(c.Kube),
		manual.Do(),
		notifyaction.Send(c.Sender, c.Sent),
		rehearsal.Check(),
		secretaction.Capture(c.Secret),
		values.Migrate(file.System{}, c.Charts),
	}
}

// TargetKinds returns all kinds of target, in the order of their names.
func TargetKinds(c Clients) []action.TargetKind {
	return []action.TargetKind{
		target.Directory(),
		target.Git(c.Programs),
		target.Host(c.Host),
		target.Kubernetes(c.Kube),
	}
}

// NewRegistry returns the registry of everything in this package.
func NewRegistry(c Clients) (*action.Registry, error) {
	registry, err := action.NewRegistry(Actions(c), TargetKinds(c))
	if err != nil {
		return nil, fmt.Errorf("register the actions: %w", err)
	}
	return registry, nil
}
