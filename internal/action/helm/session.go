package helm

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"sync"
	"time"

	helmaction "helm.sh/helm/v4/pkg/action"
	helmkube "helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// place is which release an input means, and where Helm keeps its records.
type place struct{ release, namespace, storage string }

func (p place) String() string {
	return fmt.Sprintf("release %q in namespace %q", p.release, p.namespace)
}

// check tells what is wrong with a place.
func (p place) check() error {
	const most = 53 // Helm leaves room for what charts append
	if problems := validation.IsDNS1123Subdomain(p.release); len(problems) > 0 || len(p.release) > most {
		return fmt.Errorf("field \"release\" is %q, needs the name of a release: up to 53 of a-z, 0-9 and dash",
			p.release)
	}
	if problems := validation.IsDNS1123Label(p.namespace); len(problems) > 0 {
		return fmt.Errorf("field \"namespace\" is %q, needs the name of a namespace", p.namespace)
	}
	if p.storage != "" && p.storage != storageSecrets && p.storage != storageConfigMaps {
		return fmt.Errorf("field \"storage\" is %q, needs secrets or configmaps", p.storage)
	}
	return nil
}

// Where Helm keeps its records.
const (
	storageSecrets    = "secrets"
	storageConfigMaps = "configmaps"
)

// session is one call of an action, connected to a release.
type session struct {
	place

	env     action.Env
	cluster *kube.Cluster
	// typed sends through the carrier, as Helm does.
	typed   kubernetes.Interface
	config  *helmaction.Configuration
	client  *client
	stamper *stamper
	carrier *carrier
}

// open connects to the cluster. Whoever opens closes.
func (w World) open(ctx context.Context, env action.Env, p place) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, interrupted("reach "+p.String(), context.Cause(ctx), action.ExtentNone)
	}
	cluster, err := w.Clusters.Connect(env)
	if err != nil {
		return nil, err
	}
	claimFields()
	s := &session{place: p, env: env, cluster: cluster, carrier: carry(ctx, w.Before)}
	getter := carriedGetter{cluster.Getter(p.namespace), s.carrier}
	config, err := getter.ToRESTConfig()
	if err == nil {
		s.typed, err = kubernetes.NewForConfig(config)
	}
	if err != nil {
		s.close()
		return nil, refused(reasonHelmFailed, "", fmt.Errorf("connect to %s: %w", cluster.Name, err))
	}
	s.client = newClient(getter, s)
	s.stamper = &stamper{Driver: s.driver(), stamp: stampOf(env)}
	s.config = helmaction.NewConfiguration(helmaction.ConfigurationSetLogger(slog.DiscardHandler))
	s.config.RESTClientGetter = getter
	s.config.KubeClient = s.client
	s.config.Releases = storage.Init(s.stamper)
	s.config.Releases.SetLogger(slog.DiscardHandler)
	s.config.HookOutputFunc = discardHooks
	return s, nil
}

func (s *session) close() { s.carrier.end() }

// driver returns where the records of the release are.
func (s *session) driver() driver.Driver {
	if s.storage == storageConfigMaps {
		d := driver.NewConfigMaps(s.typed.CoreV1().ConfigMaps(s.namespace))
		d.SetLogger(slog.DiscardHandler)
		return d
	}
	d := driver.NewSecrets(s.typed.CoreV1().Secrets(s.namespace))
	d.SetLogger(slog.DiscardHandler)
	return d
}

// fieldOwner is the owner of fields that the program helm sets.
const fieldOwner = "helm"

// claimFields lets fields that are applied belong to helm, as with the program of that
// name: an owner of another name would be in its way at the next upgrade. And it
// silences what Helm prints, values among it: what matters comes back as errors.
var claimFields = sync.OnceFunc(func() { //nolint:gochecknoglobals // it guards variables of other packages
	log.SetOutput(io.Discard)
	if helmkube.ManagedFieldsManager != fieldOwner {
		helmkube.ManagedFieldsManager = fieldOwner
	}
})

// carriedGetter gives Helm a connection whose requests go through the carrier.
type carriedGetter struct {
	genericclioptions.RESTClientGetter

	carrier *carrier
}

// ToRESTConfig implements genericclioptions.RESTClientGetter.
func (g carriedGetter) ToRESTConfig() (*rest.Config, error) {
	config, err := g.RESTClientGetter.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return g.carrier.wrap(next) })
	config.WarningHandler = rest.NoWarnings{}
	return config, nil
}

// waiting returns the context that Helm waits with. It ends before that of the call,
// so that there is time left to record what has failed.
func waiting(ctx context.Context) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, end.Add(-grace))
	}
	return context.WithCancel(ctx)
}

// patience is how long Helm waits when nothing else ends it: the context does.
const patience = 24 * time.Hour
