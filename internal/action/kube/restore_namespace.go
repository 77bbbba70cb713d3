package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
)

const reasonAnotherCluster = "AnotherCluster"

// RestoreInput is the input of kube.restore. What kube.backup was given and handed out
// fits into it.
type RestoreInput struct {
	Store     string           `json:"store" doc:"Address of the store."`
	Backup    string           `json:"backup" doc:"Id of the backup, as kube.backup hands it out."`
	Namespace string           `json:"namespace,omitempty" doc:"Namespace that the objects are brought to, made when it is not there; default the one that was saved."`
	Kinds     []NamespacedKind `json:"kinds,omitempty" doc:"Kinds that are brought back; default all of the backup."`
	Key       action.SecretRef `json:"key,omitempty" refit:"secret" doc:"Age identity of an encrypted backup."`
	Elsewhere bool             `json:"elsewhere,omitempty" doc:"Permits to restore into another cluster than the one that was saved."`
}

// RestoreOutput is the output of kube.restore.
type RestoreOutput struct {
	Namespace string      `json:"namespace" doc:"Namespace that the objects were brought to."`
	Objects   int64       `json:"objects" doc:"How many objects are as they were saved."`
	Kinds     []KindCount `json:"kinds" doc:"How many of each kind, in the order in which they were brought back."`
	Kept      []string    `json:"kept" doc:"Claims and pods that were there and differ from what was saved: they were not touched. At most 100."`
	Claims    []string    `json:"claims" doc:"Claims whose volume is not the one that was saved: what is in it is not of the backup. At most 100."`
	Extra     []string    `json:"extra" doc:"Objects that are there and not in the backup, which would have saved them: they were not touched. At most 100."`
	ExtraAll  int64       `json:"extraAll" doc:"How many of these there are."`
}

// Restore returns the action kube.restore.
func Restore(w World) action.Action {
	return action.Define(action.Definition[RestoreInput, RestoreOutput]{
		Name:      "kube.restore",
		Version:   1,
		Summary:   "Bring the objects of a namespace back from a backup.",
		Effect:    action.Mutating,
		Resumable: true,
		Targets:   []string{kube.KindTarget},
		NoUndo:    "what it replaced is kept nowhere: save the namespace with kube.backup before",
		Typical:   30 * time.Second,
		Worst:     15 * time.Minute,
		Check: func(in RestoreInput) error {
			if in.Backup == "" {
				return errors.New("field \"backup\" must be an id")
			}
			if strings.ContainsAny(in.Namespace, "/%?#. ") {
				return fmt.Errorf("field \"namespace\" is %q, needs the name of a namespace", in.Namespace)
			}
			return checkKinds(in.Kinds)
		},
		Preview: w.previewRestore,
		Observe: w.observeRestore,
		Run:     w.runRestore,
		Access:  w.accessRestore,
	})
}

// restoring is the restore of one backup into one namespace.
type restoring struct {
	world     World
	env       action.Env
	cluster   *kube.Cluster
	head      savedHead
	namespace string
	objects   []saved
	// meant says which objects that are there the backup would have saved.
	meant selection

	// live are the objects of the namespace by their key; missing tells that there is
	// no namespace.
	live    map[string]*unstructured.Unstructured
	missing bool
}

// restoring reads a backup, and what is there. No error has an extent.
func (w World) restoring(
	ctx context.Context, env action.Env, s *store, e *backup.Entry, in RestoreInput,
) (*restoring, error) {
	cluster, err := w.Kube.Connect(env)
	if err != nil {
		return nil, err
	}
	identity, err := cluster.Identity(ctx)
	if err != nil {
		return nil, err
	}
	if m := e.Manifest; identity != m.Source.Identity && !in.Elsewhere {
		return nil, &action.Error{
			Reason: reasonAnotherCluster, Effect: action.ExtentNone,
			Remedy: "correct the target, or permit it with elsewhere: true",
			Err: fmt.Errorf("restore backup %q: %s is another cluster: it is %s, and %s was saved", m.ID, cluster.Name,
				identity, m.Source.Identity),
		}
	}
	r := &restoring{world: w, env: env, cluster: cluster}
	err = s.worker.ReadObjects(ctx, s, e.Manifest, s.key, func(items backup.ItemReader) error {
		return r.load(items, in)
	})
	if err == nil {
		err = r.look(ctx)
	}
	return r, action.WithExtent(err, action.ExtentNone)
}

// load reads the objects that are wanted.
func (r *restoring) load(items backup.ItemReader, in RestoreInput) error {
	line, err := items.Head()
	if err == nil {
		r.head, err = headOf(line)
	}
	if err != nil {
		return err
	}
	if r.namespace = in.Namespace; r.namespace == "" {
		r.namespace = r.head.Namespace
	}
	r.meant = r.head.Selection
	wanted := selection{Kinds: in.Kinds, Secrets: true}
	if len(in.Kinds) > 0 {
		r.meant.Kinds = slices.DeleteFunc(slices.Clone(in.Kinds), func(k NamespacedKind) bool {
			return !r.head.Selection.takes(saved{id: id{apiVersion: k.APIVersion, kind: k.Kind}}.kind())
		})
	}
	return items.Each(func(_ backup.Item, line []byte) error {
		s, err := objectOf(line, r.namespace, r.head)
		if err == nil && wanted.takes(s.kind()) {
			r.objects = append(r.objects, s)
		}
		return err
	})
}

// look reads what is there. Kinds that the cluster does not know are an error before
// anything is changed.
func (r *restoring) look(ctx context.Context) error {
	for i := range r.objects {
		if _, err := r.place(r.objects[i]); err != nil {
			return err
		}
	}
	r.live = map[string]*unstructured.Unstructured{}
	_, err := r.cluster.Typed.CoreV1().Namespaces().Get(ctx, r.namespace, metav1.GetOptions{})
	if r.missing = apierrors.IsNotFound(err); r.missing {
		return nil
	}
	if err != nil {
		return failed(ctx, "read namespace "+r.namespace, err, action.ExtentNone)
	}
	done := map[string]bool{}
	for _, s := range r.objects {
		kind := s.kind().String()
		if done[kind] {
			continue
		}
		done[kind] = true
		p, err := r.place(s)
		if err != nil {
			return err
		}
		err = p.each(ctx, "", func(o *unstructured.Unstructured) error {
			o.SetAPIVersion(s.id.apiVersion)
			o.SetKind(s.id.kind)
			r.live[idOf(o).key()] = o
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *restoring) place(s saved) (place, error) {
	mapping, err := r.cluster.Resource(s.kind())
	if err != nil {
		return place{}, err
	}
	return listOf(r.cluster, mapping, r.namespace).at(s.id.name), nil
}

func (w World) previewRestore(ctx context.Context, env action.Env, in RestoreInput) (action.Preview, error) {
	plain := action.Preview{Summary: fmt.Sprintf("bring the objects of backup %q back", in.Backup)}
	if in.Namespace != "" {
		plain.Summary += " into namespace " + in.Namespace
	}
	s, err := w.openStore(env, in.Store)
	if err != nil {
		return action.Preview{}, err
	}
	e, err := s.find(ctx, in.Backup)
	if action.ReasonOf(err) == backup.ReasonBackupNotFound { // a step before makes it
		return plain, nil
	}
	if err != nil {
		return action.Preview{}, err
	}
	if e.Manifest.Encrypted() {
		plain.Summary += fmt.Sprintf("; it holds %s, and is encrypted: what differs is seen when the step runs",
			countsText(countKinds(e.Manifest.Items)))
		return plain, nil
	}
	r, err := w.restoring(ctx, env, s, e, in)
	if err != nil {
		if !refusal(err) && action.ReasonOf(err) != reasonAnotherCluster {
			return action.Preview{}, err
		}
		plain.Summary += "; as the cluster is now it would fail: " + err.Error()
		return plain, nil
	}
	return r.preview(ctx, plain.Summary)
}

// countsText says how many objects there are of each kind.
func countsText(counts []KindCount) string {
	texts := make([]string, len(counts))
	for i, c := range counts {
		texts[i] = fmt.Sprintf("%d %s", c.Count, c.Kind)
	}
	return listed(texts)
}

// preview says what would be made and changed.
func (r *restoring) preview(ctx context.Context, summary string) (action.Preview, error) {
	var text strings.Builder
	var made, changed int
	for _, s := range r.objects {
		live := r.live[s.id.key()]
		same, err := r.asSaved(ctx, s, live)
		if err != nil && !refusal(err) {
			return action.Preview{}, err
		}
		if same {
			continue
		}
		var before map[string]any
		if live == nil {
			made++
		} else {
			changed++
			before = cleaned(live)
		}
		text.WriteString(showDiff(s.id.String(), before, s.Object))
	}
	return action.Preview{
		Summary: fmt.Sprintf("%s: %d are made, %d changed, %d are as they were saved", summary, made, changed,
			len(r.objects)-made-changed),
		Diff: cutDiff(text.String()),
	}, nil
}

// start opens everything that a restore needs.
func (w World) start(ctx context.Context, env action.Env, in RestoreInput) (*restoring, error) {
	s, err := w.unlock(ctx, env, in.Store, in.Key)
	if err != nil {
		return nil, err
	}
	e, err := s.find(ctx, in.Backup)
	if err == nil {
		err = s.key.Opens(e.Manifest)
	}
	if err != nil {
		return nil, action.WithExtent(err, action.ExtentNone)
	}
	return w.restoring(ctx, env, s, e, in)
}

func (w World) observeRestore(
	ctx context.Context, env action.Env, in RestoreInput,
) (action.Observed[RestoreOutput], error) {
	var seen action.Observed[RestoreOutput]
	r, err := w.start(ctx, env, in)
	if err != nil {
		return seen, err
	}
	done := 0
	for _, s := range r.objects {
		same, err := r.asSaved(ctx, s, r.live[s.id.key()])
		if err != nil && !refusal(err) {
			return seen, err
		}
		if same {
			done++
		}
	}
	seen.Status = action.NotStarted
	seen.Reason = fmt.Sprintf("%d of %d objects are as they were saved", done, len(r.objects))
	switch {
	case done == len(r.objects) && !r.missing:
		out, err := r.output(ctx)
		if err != nil {
			return seen, err
		}
		seen.Status, seen.Output = action.Done, &out
	case env.Attempted && (done > 0 || !r.missing):
		seen.Status = action.Partial
	}
	return seen, nil
}

func (w World) runRestore(
	ctx context.Context, env action.Env, in RestoreInput, _ map[string]any,
) (RestoreOutput, error) {
	if err := ctx.Err(); err != nil {
		return RestoreOutput{}, failed(ctx, "restore backup "+in.Backup, err, action.ExtentNone)
	}
	r, err := w.start(ctx, env, in)
	if err != nil {
		return RestoreOutput{}, err
	}
	changed, err := r.bringAll(ctx)
	if err == nil {
		err = r.look(ctx)
	}
	if err == nil {
		var out RestoreOutput
		if out, err = r.output(ctx); err == nil {
			return out, nil
		}
	}
	if changed {
		err = worse(err, action.ExtentPartial)
	}
	return RestoreOutput{}, err
}

// bringAll brings all objects back, and then their owners: an owner may come after what
// it owns. changed tells whether anything was, or may have been.
func (r *restoring) bringAll(ctx context.Context) (changed bool, err error) {
	if r.missing {
		if err := r.makeNamespace(ctx); err != nil {
			return true, err
		}
		changed = true
	}
	owned := slices.DeleteFunc(slices.Clone(r.objects), func(s saved) bool { return len(s.Owners) == 0 })
	all := slices.Concat(r.objects, owned)
	for n, s := range all {
		r.env.Report(action.Progress{Done: int64(n), Total: int64(len(all)), Unit: "objects", Note: s.id.String()})
		now, err := r.bring(ctx, s)
		changed = changed || now
		if err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// makeNamespace makes the namespace as it was.
func (r *restoring) makeNamespace(ctx context.Context) error {
	if err := r.before("make namespace " + r.namespace); err != nil {
		return err
	}
	_, err := r.cluster.Typed.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: r.namespace, Labels: r.head.Labels, Annotations: r.head.Annotations,
	}}, metav1.CreateOptions{FieldManager: kube.FieldOwner})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return failed(ctx, "make namespace "+r.namespace, err, action.ExtentUnknown)
	}
	return nil
}

func (r *restoring) before(what string) error {
	if r.world.Before == nil {
		return nil
	}
	return r.world.Before(what)
}

// output tells what is there, as anybody would see it later.
func (r *restoring) output(ctx context.Context) (RestoreOutput, error) {
	out := RestoreOutput{
		Namespace: r.namespace, Kept: []string{}, Claims: []string{}, Extra: []string{},
	}
	items := make([]backup.Item, len(r.objects))
	ours := map[string]bool{}
	for i, s := range r.objects {
		items[i] = backup.Item{APIVersion: s.id.apiVersion, Kind: s.id.kind}
		ours[s.id.key()] = true
		live := r.live[s.id.key()]
		if live == nil {
			continue
		}
		out.Objects++
		if s.untouched() && !action.Equal(cleaned(live), s.Object) {
			out.Kept = append(out.Kept, live.GetKind()+" "+live.GetName())
			out.Objects--
		}
		volume, _, _ := unstructured.NestedString(live.Object, "spec", "volumeName")
		if isClaim(live) && s.Volume != "" && volume != s.Volume {
			out.Claims = append(out.Claims, live.GetName())
		}
	}
	out.Kinds = countKinds(items)
	extra, err := r.extra(ctx, ours)
	out.ExtraAll = int64(len(extra))
	out.Extra = append(out.Extra, extra[:min(len(extra), maxNames)]...)
	out.Kept, out.Claims = out.Kept[:min(len(out.Kept), maxNames)], out.Claims[:min(len(out.Claims), maxNames)]
	return out, err
}

// extra lists what the backup would have saved and does not have.
func (r *restoring) extra(ctx context.Context, saved map[string]bool) ([]string, error) {
	n := saver{cluster: r.cluster, namespace: r.namespace, selection: r.meant}
	var err error
	// Kinds that were selected by name and are gone have no objects.
	n.selection.Kinds = slices.DeleteFunc(slices.Clone(r.meant.Kinds), func(k NamespacedKind) bool {
		_, err := r.cluster.Resource(schemaKind(k))
		return action.ReasonOf(err) == kube.ReasonNotFound
	})
	if len(r.meant.Kinds) > 0 && len(n.selection.Kinds) == 0 {
		return nil, nil
	}
	if n.kinds, err = n.selection.kindsOf(ctx, r.cluster); err != nil {
		return nil, err
	}
	if err := n.look(ctx); err != nil {
		return nil, err
	}
	var found []string
	for _, mapping := range n.kinds {
		objects, err := n.ofKind(ctx, mapping)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if !saved[idOf(o).key()] {
				found = append(found, o.GetKind()+" "+o.GetName())
			}
		}
	}
	return found, nil
}
