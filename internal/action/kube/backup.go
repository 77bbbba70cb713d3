package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
)

// BackupInput is the input of kube.backup.
type BackupInput struct {
	Namespace string           `json:"namespace" doc:"Namespace whose objects are saved."`
	Store     string           `json:"store" doc:"Address of the store, such as file:///backups or s3://bucket/prefix?endpoint=https://host:port."`
	Series    string           `json:"series,omitempty" doc:"Name of the series of backups; default the name of the namespace."`
	Kinds     []NamespacedKind `json:"kinds,omitempty" doc:"Kinds that are saved; default all that the namespace can hold, but for those that only the cluster itself makes."`
	Selector  string           `json:"selector,omitempty" doc:"Labels that objects must have, such as app=hub,tier!=db; default any."`
	Secrets   string           `json:"secrets,omitempty" enum:"include,skip" doc:"Whether Secrets are saved: include needs a key; default include."`
	Key       action.SecretRef `json:"key,omitempty" refit:"secret" doc:"Age identity (AGE-SECRET-KEY-1…) that the backup is encrypted for; needed where Secrets are saved."`
	Level     int              `json:"level,omitempty" doc:"Level of compression from 1 to 19 as zstd counts; default 3."`
}

// NamespacedKind names a kind of objects that stand in namespaces.
type NamespacedKind struct {
	APIVersion string `json:"apiVersion" doc:"API group and version of the kind, such as apps/v1."`
	Kind       string `json:"kind" doc:"Kind, such as Deployment."`
}

// BackupOutput is the output of kube.backup.
type BackupOutput struct {
	Backup  string      `json:"backup" doc:"Id of the backup."`
	Store   string      `json:"store" doc:"Address of the store."`
	Began   string      `json:"began" doc:"When saving began, in RFC 3339."`
	Size    int64       `json:"size" doc:"Size before compression, in bytes."`
	Stored  int64       `json:"stored" doc:"Size in the store, in bytes."`
	Objects int64       `json:"objects" doc:"How many objects were saved."`
	Kinds   []KindCount `json:"kinds" doc:"How many of each kind, in the order in which they are restored."`
	Server  string      `json:"server" doc:"Version of the API server."`
	Saved   string      `json:"saved" doc:"Identity of the cluster."`
	Proof   int         `json:"proof" doc:"Level of its proof."`
}

// KindCount is how many objects of a kind there are.
type KindCount struct {
	APIVersion string `json:"apiVersion" doc:"API group and version of the kind."`
	Kind       string `json:"kind" doc:"Kind of the objects."`
	Count      int64  `json:"count" doc:"How many there are."`
}

// Backup returns the action kube.backup.
func Backup(w World) action.Action {
	return action.Define(action.Definition[BackupInput, BackupOutput]{
		Name:        "kube.backup",
		Version:     1,
		Summary:     "Save the objects of a namespace, and prove the backup.",
		Effect:      action.Scratch,
		Resumable:   true,
		MaxProof:    backup.Restored,
		RestoreWith: "kube.restore",
		Targets:     []string{kube.KindTarget},
		NoUndo:      "the backup stays until somebody removes it",
		Typical:     10 * time.Second,
		Worst:       10 * time.Minute,
		Check:       checkBackup,
		Preview: func(_ context.Context, env action.Env, in BackupInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("save %s of namespace %s to %s and prove it at level %d",
				in.what(), in.Namespace, in.Store, backupLevel(env))}, nil
		},
		Observe: w.observeBackup,
		Run:     w.runBackup,
		Access:  w.accessBackup,
	})
}

// backupLevel is the level of proof: that of the step, else the best for which nothing
// is made in the cluster.
func backupLevel(env action.Env) int { return cmp.Or(env.Proof, backup.Parsed) }

func checkBackup(in BackupInput) error {
	if err := checkNamespace(in.Namespace); err != nil {
		return err
	}
	if err := checkKinds(in.Kinds); err != nil {
		return err
	}
	if _, err := labels.Parse(in.Selector); err != nil {
		return fmt.Errorf("field \"selector\" is no selector of labels such as \"app=hub\": %w", err)
	}
	if in.Level < 0 || in.Level > 19 {
		return errors.New("field \"level\" is between 1 and 19")
	}
	if !backup.ValidName(in.series()) {
		return errors.New("field \"series\" has up to 63 of a-z, 0-9, dot, dash and underscore")
	}
	if in.selection().holdsSecrets() && len(in.Key) == 0 {
		return errors.New("field \"key\" is missing: Secrets are saved encrypted only; " +
			"give a key, or leave them out with secrets: skip")
	}
	return nil
}

func checkKinds(kinds []NamespacedKind) error {
	for n, k := range kinds {
		if err := (id{apiVersion: k.APIVersion, kind: k.Kind}).checkKind(); err != nil {
			return fmt.Errorf("field \"kinds[%d]\": %w", n, err)
		}
	}
	return nil
}

func (in BackupInput) series() string { return cmp.Or(in.Series, in.Namespace) }

// what says what is saved, for people.
func (in BackupInput) what() string {
	text := "the objects"
	if len(in.Kinds) > 0 {
		names := make([]string, len(in.Kinds))
		for i, k := range in.Kinds {
			names[i] = k.Kind
		}
		text = "objects of the kinds " + listed(names)
	}
	if in.Selector != "" {
		text += fmt.Sprintf(" with labels %q", in.Selector)
	}
	if in.Secrets == secretsSkip {
		text += ", without Secrets,"
	}
	return text
}

func (w World) observeBackup(
	ctx context.Context, env action.Env, in BackupInput,
) (action.Observed[BackupOutput], error) {
	s, err := w.openStore(env, in.Store)
	if err != nil {
		return action.Observed[BackupOutput]{}, err
	}
	e, err := s.made(ctx, env, in)
	if err != nil {
		return action.Observed[BackupOutput]{}, err
	}
	if e == nil {
		return action.Observed[BackupOutput]{Status: action.NotStarted, Reason: "the store has no such backup"}, nil
	}
	proof, whole, why := e.Stands(backupLevel(env))
	seen := action.Observed[BackupOutput]{Status: action.Partial, Reason: why}
	if whole {
		out := backupOutput(in, e.Manifest, proof)
		seen.Status, seen.Output = action.Done, &out
	}
	return seen, nil
}

// made returns what the store has of the backup of this effect, nil for nothing.
func (s *store) made(ctx context.Context, env action.Env, in BackupInput) (*backup.Entry, error) {
	e, err := backup.Find(ctx, s, backup.ID(in.series(), env.Key, env.Origin))
	if action.ReasonOf(err) == backup.ReasonBackupNotFound {
		return nil, nil //nolint:nilnil // nothing was stored, which is no error
	}
	return e, action.WithExtent(err, action.ExtentNone)
}

func (w World) runBackup(
	ctx context.Context, env action.Env, in BackupInput, _ map[string]any,
) (BackupOutput, error) {
	if err := ctx.Err(); err != nil {
		return BackupOutput{}, failed(ctx, "save namespace "+in.Namespace, err, action.ExtentNone)
	}
	s, err := w.unlock(ctx, env, in.Store, in.Key)
	if err != nil {
		return BackupOutput{}, err
	}
	e, err := s.made(ctx, env, in)
	if err != nil {
		return BackupOutput{}, err
	}
	if e != nil && e.Problem != nil { // it was never proved, or Observe would have said done
		if err := backup.Discard(ctx, s, e); err != nil {
			return BackupOutput{}, action.WithExtent(err, action.ExtentPartial)
		}
	}
	r, cluster, err := w.request(ctx, env, in, s)
	if err != nil {
		return BackupOutput{}, action.WithExtent(err, action.ExtentNone)
	}
	m, err := s.worker.Make(ctx, r)
	if err != nil {
		return BackupOutput{}, action.WithExtent(err, action.ExtentPartial)
	}
	s.worker.Objects = w.reader(env, cluster).read
	proof, err := s.worker.ProveMade(ctx, s, m.ID, backupLevel(env), s.key)
	if err != nil {
		return BackupOutput{}, action.WithExtent(err, action.ExtentPartial)
	}
	return backupOutput(in, m, proof), nil
}

// request asks the cluster what has to be known before it is read.
func (w World) request(
	ctx context.Context, env action.Env, in BackupInput, s *store,
) (backup.Request, *kube.Cluster, error) {
	cluster, err := w.Kube.Connect(env)
	if err != nil {
		return backup.Request{}, nil, err
	}
	identity, err := cluster.Identity(ctx)
	if err != nil {
		return backup.Request{}, nil, err
	}
	data, err := cluster.Typed.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		doing := "ask for the version of cluster " + cluster.Name
		return backup.Request{}, nil, failed(ctx, doing, err, action.ExtentNone)
	}
	server, err := versionOf(data)
	if err != nil {
		return backup.Request{}, nil, err
	}
	n := saver{cluster: cluster, namespace: in.Namespace, selection: in.selection()}
	if err := n.prepare(ctx); err != nil {
		return backup.Request{}, nil, err
	}
	return backup.Request{
		Store: s, Name: in.series(), Key: env.Key, Origin: env.Origin, Kind: backup.Namespace,
		Path: "namespace " + in.Namespace + " of " + cluster.Name, Level: in.Level, Lock: s.key,
		SaveObjects: n.save, Identity: identity, Server: server.Version,
	}, cluster, nil
}

func backupOutput(in BackupInput, m *backup.Manifest, proof backup.Proof) BackupOutput {
	return BackupOutput{
		Backup: m.ID, Store: in.Store, Began: m.Began.Format(time.RFC3339Nano), Size: m.Size, Stored: m.Stored,
		Objects: m.Counts.Objects, Kinds: countKinds(m.Items), Server: m.Source.Server, Saved: m.Source.Identity,
		Proof: proof.Level,
	}
}

// countKinds counts the objects of each kind, in their order.
func countKinds(items []backup.Item) []KindCount {
	counts := []KindCount{}
	for _, item := range items {
		last := len(counts) - 1
		if last < 0 || counts[last].Kind != item.Kind || counts[last].APIVersion != item.APIVersion {
			counts = append(counts, KindCount{APIVersion: item.APIVersion, Kind: item.Kind})
			last++
		}
		counts[last].Count++
	}
	return counts
}
