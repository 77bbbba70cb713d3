package kube

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // Ways to log in that a kubeconfig may name.
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
)

// KindTarget is the kind of target that is a cluster.
const KindTarget = "kubernetes"

// ReasonConfig is the reason of errors about what the platform file or a
// kubeconfig says of a cluster.
const ReasonConfig = "TargetConfig"

// Connector makes connections to clusters and keeps them. It is safe for
// concurrent use.
type Connector struct {
	environ []string

	mu       sync.Mutex
	clusters map[string]*Cluster
}

// NewConnector returns a connector that finds kubeconfig files by the environment
// environ, as "NAME=value": KUBECONFIG, or ~/.kube/config, or the account of the pod
// that it runs in.
func NewConnector(environ []string) *Connector {
	return &Connector{environ: environ, clusters: map[string]*Cluster{}}
}

// Connect returns the connection to the target of env. It contacts nobody. The
// error is an *action.Error without effect. See Open.
func (c *Connector) Connect(env action.Env) (*Cluster, error) {
	t := env.Target
	text := func(key string) string { value, _ := t.Config[key].(string); return value }
	cluster, err := c.Open(text("kubeconfig"), text("context"), env.Dir)
	if failed, ok := err.(*action.Error); ok { //nolint:errorlint // Open returns nothing else.
		failed.Err = fmt.Errorf("target %q: %w", t.Name, failed.Err)
	}
	return cluster, err
}

// Open returns the connection to the cluster of a context. An empty kubeconfig
// stands for the files that the environment names, an empty context for the current
// one; a relative path is relative to dir. A connection is made again when what the
// files hold has changed, such as a new token. The error is an *action.Error without
// effect.
func (c *Connector) Open(kubeconfig, context, dir string) (*Cluster, error) {
	files, err := c.files(kubeconfig, dir)
	if err != nil {
		return nil, err
	}
	key := cacheKey(files, context)
	c.mu.Lock()
	defer c.mu.Unlock()
	if cluster, ok := c.clusters[key]; ok {
		return cluster, nil
	}
	cluster, err := c.connect(files, context)
	if err != nil {
		return nil, err
	}
	c.clusters[key] = cluster
	return cluster, nil
}

// files returns the files that are read, none for the account of a pod.
func (c *Connector) files(kubeconfig, dir string) ([]string, error) {
	if kubeconfig != "" {
		if !filepath.IsAbs(kubeconfig) {
			kubeconfig = filepath.Join(dir, kubeconfig)
		}
		if _, err := os.Stat(kubeconfig); err != nil {
			return nil, configError(fmt.Errorf("read kubeconfig %q: %w", kubeconfig, withoutPath(err)),
				"correct the path in the platform file")
		}
		return []string{kubeconfig}, nil
	}
	var found []string
	candidates := filepath.SplitList(c.getenv("KUBECONFIG"))
	if len(candidates) == 0 && c.getenv("HOME") != "" {
		candidates = []string{filepath.Join(c.getenv("HOME"), ".kube", "config")}
	}
	for _, file := range candidates {
		if _, err := os.Stat(file); err == nil {
			found = append(found, file)
		}
	}
	if len(found) > 0 || c.getenv("KUBERNETES_SERVICE_HOST") != "" {
		return found, nil
	}
	where := "KUBECONFIG is not set and there is no ~/.kube/config"
	if len(candidates) > 0 {
		where = "there is no " + strings.Join(candidates, " and no ")
	}
	return nil, configError(fmt.Errorf("find a kubeconfig: %s", where),
		"set KUBECONFIG, or kubeconfig: in the platform file")
}

func (c *Connector) connect(files []string, context string) (*Cluster, error) {
	if len(files) == 0 {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, configError(fmt.Errorf("use the account of this pod: %w", err), "set KUBECONFIG")
		}
		return newCluster(config, "the cluster of this pod", nil)
	}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{Precedence: files},
		&clientcmd.ConfigOverrides{CurrentContext: context})
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, configError(fmt.Errorf("read kubeconfig %s: %w", strings.Join(files, ", "), err), "correct it")
	}
	if context == "" {
		context = raw.CurrentContext
	}
	if err := checkContext(raw, context, files); err != nil {
		return nil, err
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, configError(fmt.Errorf("context %q of %s: %w", context, strings.Join(files, ", "), err),
			"correct it")
	}
	return newCluster(config, context, &raw)
}

func checkContext(raw clientcmdapi.Config, context string, files []string) error {
	names := slices.Sorted(maps.Keys(raw.Contexts))
	switch {
	case context == "":
		return configError(fmt.Errorf("kubeconfig %s has no current context", strings.Join(files, ", ")),
			"set context: in the platform file, to one of "+strings.Join(names, ", "))
	case raw.Contexts[context] == nil:
		return configError(fmt.Errorf("kubeconfig %s has no context %q", strings.Join(files, ", "), context),
			diag.DidYouMean(context, names))
	}
	return nil
}

func newCluster(config *rest.Config, name string, raw *clientcmdapi.Config) (*Cluster, error) {
	config.UserAgent = FieldOwner
	// The server says itself when it is asked too much, and a run waits for few things.
	config.QPS, config.Burst = -1, -1
	// Warnings of the server would be printed between what people read.
	config.WarningHandler = rest.NoWarnings{}
	failed := func(err error) error {
		return configError(fmt.Errorf("use context %q: %w", name, err), "correct the kubeconfig")
	}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, failed(err)
	}
	untyped, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, failed(err)
	}
	cached := memory.NewMemCacheClient(typed.Discovery())
	return &Cluster{
		Rest: config, Typed: typed, Dynamic: untyped, Discovery: cached,
		Mapper: restmapper.NewDeferredDiscoveryRESTMapper(cached),
		Name:   fmt.Sprintf("%s (%s)", name, config.Host),
		raw:    raw, context: name,
	}, nil
}

// cacheKey tells connections apart by what the files hold.
func cacheKey(files []string, context string) string {
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "%q", context) // a hash never fails to write
	for _, file := range files {
		data, err := os.ReadFile(file)
		_, _ = fmt.Fprintf(hash, "%q %d %v\n", file, len(data), err)
		hash.Write(data)
	}
	return string(hash.Sum(nil))
}

func (c *Connector) getenv(name string) string {
	value := ""
	for _, entry := range c.environ {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value = v
		}
	}
	return value
}

func configError(err error, remedy string) error {
	return &action.Error{Reason: ReasonConfig, Effect: action.ExtentNone, Remedy: remedy, Err: err}
}

// withoutPath returns an error of a file without the path, which the message has.
func withoutPath(err error) error {
	if failed, ok := err.(*fs.PathError); ok { //nolint:errorlint // os.Stat returns nothing else.
		return failed.Err
	}
	return err
}
