package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/pager"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// DeleteInput is the input of kube.delete.
type DeleteInput struct {
	Fixed       []FixedObject `json:"fixed,omitempty" doc:"Objects to delete, by name; one of fixed and live is given."`
	Live        *LiveObjects  `json:"live,omitempty" doc:"Rules by which objects are picked out when the step starts."`
	Propagation string        `json:"propagation,omitempty" enum:"background,foreground,orphan" doc:"What becomes of objects that belong to them; default background: they are deleted after them."`
	Within      time.Duration `json:"within,omitempty" doc:"How long is waited until all are gone; default 5m."`
}

// FixedObject names one object to delete.
type FixedObject struct {
	APIVersion string `json:"apiVersion" doc:"API group and version of the kind, such as apps/v1."`
	Kind       string `json:"kind" doc:"Kind, such as Deployment."`
	Namespace  string `json:"namespace,omitempty" doc:"Namespace; left out for kinds that have none."`
	Name       string `json:"name" doc:"Name of the object."`
	UID        string `json:"uid,omitempty" doc:"UID that it must have; another object of this name is left alone."`
}

// LiveObjects are the rules by which kube.delete picks.
type LiveObjects struct {
	APIVersion string   `json:"apiVersion" doc:"API group and version of the kind, such as v1."`
	Kind       string   `json:"kind" doc:"Kind, such as Pod."`
	Namespace  string   `json:"namespace,omitempty" doc:"Namespace; left out for kinds that have none."`
	Selector   string   `json:"selector,omitempty" doc:"Labels that they must have, such as app=hub,tier!=db; selector, names or both are given."`
	Names      string   `json:"names,omitempty" doc:"Regular expression (RE2) that the whole name must match."`
	Never      []string `json:"never,omitempty" doc:"Regular expressions of names that are never deleted."`
}

// DeleteOutput is the output of kube.delete.
type DeleteOutput struct {
	Count     int      `json:"count" doc:"How many objects are gone."`
	Deleted   []string `json:"deleted" doc:"Objects that are gone, in alphabetical order, at most 16 KiB of them."`
	Truncated bool     `json:"truncated" doc:"Tells that deleted is not all of them."`
}

// Delete returns the action kube.delete, which reaches clusters through connector.
func Delete(connector *kube.Connector) action.Action {
	d := deleter{connector}
	return action.Define(action.Definition[DeleteInput, DeleteOutput]{
		Name:      "kube.delete",
		Version:   1,
		Summary:   "Delete objects of a cluster, by name or by what they are when the step starts.",
		Effect:    action.Mutating,
		Selects:   true,
		Resumable: true,
		Targets:   []string{kube.KindTarget},
		NoUndo:    "what is deleted is gone: a new object has another UID, and lacks what its controllers kept in it",
		Typical:   10 * time.Second,
		Worst:     5 * time.Minute,
		Check:     checkDelete,
		Preview:   d.preview,
		Observe:   d.observe,
		Run:       d.run,
		Access:    d.access,
	})
}

func checkDelete(in DeleteInput) error {
	if (len(in.Fixed) == 0) == (in.Live == nil) {
		return errors.New("give one of the fields \"fixed\" and \"live\"")
	}
	if in.Within < 0 {
		return errors.New("field \"within\" must not be negative")
	}
	for i, f := range in.Fixed {
		if err := f.id().check(); err != nil {
			return fmt.Errorf("field \"fixed[%d]\": %w", i, err)
		}
	}
	if in.Live == nil {
		return nil
	}
	if err := in.Live.id().checkKind(); err != nil {
		return fmt.Errorf("field \"live\": %w", err)
	}
	if _, err := in.Live.matcher(); err != nil {
		return fmt.Errorf("field \"live\": %w", err)
	}
	return nil
}

func (f FixedObject) id() id { return id{f.APIVersion, f.Kind, f.Namespace, f.Name} }

func (l LiveObjects) id() id { return id{l.APIVersion, l.Kind, l.Namespace, ""} }

// matcher tells which names are meant.
func (l LiveObjects) matcher() (func(name string) bool, error) {
	if l.Selector == "" && l.Names == "" {
		return nil, errors.New("give \"selector\", \"names\" or both: all objects of a kind are never meant")
	}
	selector, err := labels.Parse(l.Selector)
	if err != nil {
		return nil, fmt.Errorf("\"selector\" is no selector of labels such as \"app=hub\": %w", err)
	}
	if l.Names == "" && selector.Empty() {
		return nil, fmt.Errorf("\"selector\" is %q, which selects everything", l.Selector)
	}
	patterns := append([]string{cmp.Or(l.Names, ".*")}, l.Never...)
	compiled := make([]*regexp.Regexp, len(patterns))
	for i, text := range patterns {
		field := "names"
		if i > 0 {
			field = fmt.Sprintf("never[%d]", i-1)
		}
		if text == "" {
			return nil, fmt.Errorf("%q is empty, which excludes nothing", field)
		}
		if compiled[i], err = regexp.Compile(`^(?:` + text + `)$`); err != nil {
			return nil, fmt.Errorf("%q is no regular expression: %w", field, err)
		}
	}
	return func(name string) bool {
		return compiled[0].MatchString(name) &&
			!slices.ContainsFunc(compiled[1:], func(r *regexp.Regexp) bool { return r.MatchString(name) })
	}, nil
}

// deleter carries out kube.delete.
type deleter struct{ connector *kube.Connector }

// member is an object that was picked, as the history holds it: its key names it,
// its note begins with its UID.
type member struct {
	id  id
	uid types.UID
}

const uidNote = "uid "

func (m member) record(made time.Time) action.Member {
	return action.Member{
		Key: fmt.Sprintf("%s %s %s", m.id.apiVersion, m.id.kind,
			strings.TrimPrefix(m.id.namespace+"/"+m.id.name, "/")),
		Note: fmt.Sprintf("%s%s, made %s", uidNote, m.uid, made.UTC().Format(time.RFC3339)),
	}
}

// memberOfRecord reads what record has written.
func memberOfRecord(r action.Member) (member, error) {
	parts := strings.Split(r.Key, " ")
	note, isUID := strings.CutPrefix(r.Note, uidNote)
	uid, _, _ := strings.Cut(note, ",")
	if len(parts) != 3 || !isUID || uid == "" {
		return member{}, fmt.Errorf("%q is no object that was picked", r.Key)
	}
	namespace, name, namespaced := strings.Cut(parts[2], "/")
	if !namespaced {
		namespace, name = "", parts[2]
	}
	return member{id{parts[0], parts[1], namespace, name}, types.UID(uid)}, nil
}

// pick lists the objects that are meant.
func (d deleter) pick(ctx context.Context, env action.Env, in DeleteInput) ([]action.Member, error) {
	if in.Live != nil {
		return d.pickLive(ctx, env, *in.Live)
	}
	var found []action.Member
	for _, f := range in.Fixed {
		p, err := find(ctx, d.connector, env, f.id())
		if err != nil {
			return nil, err
		}
		live, err := p.get(ctx)
		switch {
		case err != nil:
			return nil, err
		case live == nil, f.UID != "" && string(live.GetUID()) != f.UID:
			continue
		}
		record := member{p.id, live.GetUID()}.record(live.GetCreationTimestamp().Time)
		if !slices.Contains(found, record) {
			found = append(found, record)
		}
	}
	return found, nil
}

// pickLive asks for names and labels alone, page by page: objects of a kind may be
// many, and large.
func (d deleter) pickLive(ctx context.Context, env action.Env, l LiveObjects) ([]action.Member, error) {
	matches, err := l.matcher()
	if err != nil {
		return nil, err
	}
	p, err := find(ctx, d.connector, env, l.id())
	if err != nil {
		return nil, err
	}
	what := "list objects of the kind " + l.Kind
	client, err := metadata.NewForConfig(p.cluster.Rest)
	if err != nil {
		return nil, failed(ctx, what, err, action.ExtentNone)
	}
	var found []action.Member
	pages := pager.New(func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		return client.Resource(p.mapping.Resource).Namespace(l.Namespace).List(ctx, opts)
	})
	err = pages.EachListItem(ctx, metav1.ListOptions{LabelSelector: l.Selector}, func(o runtime.Object) error {
		object, ok := o.(*metav1.PartialObjectMetadata)
		if !ok {
			return fmt.Errorf("the cluster answered with a %T", o)
		}
		if matches(object.Name) {
			m := member{id{l.APIVersion, l.Kind, object.Namespace, object.Name}, object.UID}
			found = append(found, m.record(object.CreationTimestamp.Time))
		}
		return nil
	})
	if err != nil {
		return nil, failed(ctx, what, err, action.ExtentNone)
	}
	slices.SortFunc(found, func(a, b action.Member) int { return strings.Compare(a.Key, b.Key) })
	return found, nil
}

func (d deleter) preview(ctx context.Context, env action.Env, in DeleteInput) (action.Preview, error) {
	what := fmt.Sprintf("delete %d objects", len(in.Fixed))
	if l := in.Live; l != nil {
		what = fmt.Sprintf("delete objects of the kind %s with labels %q and names %q",
			l.Kind, l.Selector, cmp.Or(l.Names, ".*"))
		if l.Namespace != "" {
			what += " in namespace " + l.Namespace
		}
	}
	found, err := d.pick(ctx, env, in)
	switch {
	case err != nil && !refusal(err):
		return action.Preview{}, err
	case err == nil:
		what += fmt.Sprintf("; now %d are there", len(found))
		if len(found) > 0 {
			what += ": " + listed(keysOf(found))
		}
	}
	return action.Preview{Summary: what}, nil
}

func keysOf(members []action.Member) []string {
	out := make([]string, len(members))
	for i, m := range members {
		out[i] = m.Key
	}
	return out
}

// standing is a member that is still there.
type standing struct {
	record action.Member
	member member
	place  place
	// ending tells that it was asked to go, at since; why says what holds it.
	ending bool
	since  time.Time
	why    string
}

// left lists those of members that are still there.
func (d deleter) left(ctx context.Context, env action.Env, members []action.Member) ([]standing, error) {
	var still []standing
	for _, record := range members {
		m, err := memberOfRecord(record)
		if err != nil {
			return nil, &action.Error{Reason: action.ReasonInvalidInput, Effect: action.ExtentNone, Err: err}
		}
		p, err := find(ctx, d.connector, env, m.id)
		if action.ReasonOf(err) == kube.ReasonNotFound { // with its kind all of them are gone
			continue
		}
		if err != nil {
			return nil, err
		}
		live, err := p.get(ctx)
		if err != nil {
			return nil, err
		}
		if live != nil && live.GetUID() == m.uid {
			one := standing{record: record, member: m, place: p, why: whyThere(live)}
			if at := live.GetDeletionTimestamp(); at != nil {
				one.ending, one.since = true, at.Time
			}
			still = append(still, one)
		}
	}
	return still, nil
}

func (d deleter) observe(ctx context.Context, env action.Env, in DeleteInput) (action.Observed[DeleteOutput], error) {
	var seen action.Observed[DeleteOutput]
	if !env.Attempted {
		found, err := d.pick(ctx, env, in)
		seen.Status, seen.Members = action.NotStarted, found
		seen.Reason = fmt.Sprintf("%d objects are there", len(found))
		if err != nil && refusal(err) {
			seen.Reason = err.Error()
			if action.ReasonOf(err) == kube.ReasonNotFound && in.Live != nil {
				return seen, nil // of a kind that is not known there are none
			}
		}
		return seen, err
	}
	still, err := d.left(ctx, env, env.Members)
	if err != nil {
		return seen, err
	}
	ending, stuck := 0, false
	for _, s := range still {
		seen.Members = append(seen.Members, s.record)
		if s.ending {
			ending++
			stuck = stuck || env.Now().Sub(s.since) > cmp.Or(in.Within, defaultGone)
		}
	}
	seen.Reason = fmt.Sprintf("%d of %d objects are there", len(still), len(env.Members))
	switch {
	case len(still) == 0:
		out := deleted(env.Members)
		seen.Status, seen.Output = action.Done, &out
	case ending == len(still):
		// Run is not needed for the rest; what holds them is for people to see.
		if seen.Status = action.InProgress; stuck {
			seen.Status = action.Failed
		}
		seen.Reason = fmt.Sprintf("%s: %s", still[0].member.id, still[0].why)
		seen.Progress = &action.Progress{
			Done: int64(len(env.Members) - ending), Total: int64(len(env.Members)), Unit: "objects", Note: seen.Reason,
		}
	case len(still) == len(env.Members):
		seen.Status = action.NotStarted
	default:
		seen.Status = action.Partial
	}
	return seen, nil
}

func (d deleter) run(ctx context.Context, env action.Env, in DeleteInput, _ map[string]any) (DeleteOutput, error) {
	if err := ctx.Err(); err != nil {
		return DeleteOutput{}, failed(ctx, "delete objects", err, action.ExtentNone)
	}
	still, err := d.left(ctx, env, env.Members)
	if err != nil {
		return DeleteOutput{}, action.WithExtent(err, action.ExtentNone)
	}
	policies := map[string]metav1.DeletionPropagation{
		"": metav1.DeletePropagationBackground, "background": metav1.DeletePropagationBackground,
		"foreground": metav1.DeletePropagationForeground, "orphan": metav1.DeletePropagationOrphan,
	}
	extent := action.ExtentNone
	for i, s := range still {
		env.Report(action.Progress{
			Done: int64(i), Total: int64(len(still)), Unit: "objects", Note: s.member.id.String(),
		})
		if s.ending {
			continue
		}
		if err := s.place.remove(ctx, s.member.uid, policies[in.Propagation]); err != nil {
			return DeleteOutput{}, worse(err, extent)
		}
		extent = action.ExtentPartial
	}
	deadline := env.Now().Add(cmp.Or(in.Within, defaultGone))
	for i, s := range still {
		env.Report(action.Progress{
			Done: int64(i), Total: int64(len(still)), Unit: "objects",
			Note: "wait until " + s.member.id.String() + " is gone",
		})
		if err := s.place.waitGone(ctx, s.member.uid, max(deadline.Sub(env.Now()), goneEvery)); err != nil {
			return DeleteOutput{}, err
		}
	}
	return deleted(env.Members), nil
}

// deleted returns the output for members that are gone.
func deleted(members []action.Member) DeleteOutput {
	const most = 16 << 10
	names := keysOf(members)
	slices.Sort(names)
	out := DeleteOutput{Count: len(names), Deleted: []string{}}
	size := 0
	for _, name := range names {
		if size += len(name) + 3; size > most {
			out.Truncated = true
			break
		}
		out.Deleted = append(out.Deleted, name)
	}
	return out
}
