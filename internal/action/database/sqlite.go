package database

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed" // of the program that is run in the pod
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
)

// sqliteProgram is what python3 runs in the pod. It goes there as an argument: images
// hold none of our files, and it holds no secret.
//
//go:embed sqlite.py
var sqliteProgram string

// sqliteFile is a database file in a volume of a cluster.
type sqliteFile struct {
	place
	cluster *kube.Cluster
	box     *podBox
	end     func()
	// path is that of the file in the pod, volume what tells the volume from others,
	// with the path of the file in it.
	path, volume string
	// claim is the claim of the volume, "" when it is of another kind; self is the pod
	// that the file is reached through.
	claim, self string
}

// mount is where the claim is in our own pod.
const mount = "/data"

func newSQLite(ctx context.Context, p place, cluster *kube.Cluster) (*sqliteFile, error) {
	f := &sqliteFile{place: p, cluster: cluster, end: func() {}}
	if p.at.Pod != "" {
		pod, err := findPod(ctx, cluster, p.at.Namespace, p.at.Pod, "find the pod with "+p.at.String())
		if err != nil {
			return nil, err
		}
		container := cmp.Or(p.at.via().Container, pod.Spec.Containers[0].Name)
		f.box = &podBox{cluster: cluster, namespace: p.at.Namespace, pod: pod.Name, container: container}
		f.path, f.self = p.at.Path, pod.Name
		if err := f.findVolume(ctx, pod, container); err != nil {
			return nil, err
		}
		return f, nil
	}
	f.claim = p.at.Claim
	if err := f.identify(ctx, p.at.Path); err != nil {
		return nil, err
	}
	box, leave, err := p.helper(ctx, cluster, p.at.Claim)
	if err != nil {
		return nil, err
	}
	f.box, f.end, f.path, f.self = box, leave, path.Join(mount, p.at.Path), box.pod
	return f, nil
}

// findVolume finds the volume that the file is in, by the folder that it is mounted at.
func (f *sqliteFile) findVolume(ctx context.Context, pod *corev1.Pod, container string) error {
	at := slices.IndexFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == container })
	if at < 0 {
		return failure(reasonConnection, "correct database.via.container", false,
			"pod %s has no container %q", pod.Name, container)
	}
	var best corev1.VolumeMount
	for _, m := range pod.Spec.Containers[at].VolumeMounts {
		if strings.HasPrefix(f.path, strings.TrimSuffix(m.MountPath, "/")+"/") &&
			len(m.MountPath) > len(best.MountPath) {
			best = m
		}
	}
	rest := path.Join(best.SubPath, strings.TrimPrefix(f.path, best.MountPath))
	for _, v := range pod.Spec.Volumes {
		if v.Name == best.Name && v.PersistentVolumeClaim != nil {
			f.claim = v.PersistentVolumeClaim.ClaimName
			return f.identify(ctx, strings.TrimPrefix(rest, "/"))
		}
	}
	// It lives no longer than the pod.
	f.volume = "pod:" + string(pod.UID) + "/" + strings.TrimPrefix(rest, "/")
	return nil
}

func (f *sqliteFile) identify(ctx context.Context, rest string) error {
	claim, err := f.cluster.Typed.CoreV1().PersistentVolumeClaims(f.at.Namespace).Get(ctx, f.claim, metav1.GetOptions{})
	if err != nil {
		doing := fmt.Sprintf("read claim %s in namespace %s", f.claim, f.at.Namespace)
		return kube.Failure(doing, err, action.ExtentNone)
	}
	f.volume = "claim:" + string(claim.UID) + "/" + rest
	return nil
}

// said is what the program answers.
type said struct {
	Error   string `json:"error"`
	Missing bool   `json:"missing"`
	Full    bool   `json:"full"`
	Denied  bool   `json:"denied"`
	Locked  bool   `json:"locked"`
	Damaged bool   `json:"damaged"`

	Version   string   `json:"version"`
	Tables    []Table  `json:"tables"`
	Revisions []string `json:"revisions"`

	Begun   bool   `json:"begun"`
	Ready   string `json:"ready"`
	Emptied bool   `json:"emptied"`
	Done    bool   `json:"done"`
	Kept    bool   `json:"kept"`
	Work    string `json:"work"`
}

// ask runs a command of the program in the pod.
func (f *sqliteFile) ask(ctx context.Context, command string, from io.Reader, to io.Writer) (said, error) {
	doing := fmt.Sprintf("%s %s", command, f.at)
	var read *stickyReader
	if from != nil {
		read = &stickyReader{r: from}
		from = read
	}
	written := &stickyWriter{w: io.Discard}
	if to != nil {
		written.w = to
	}
	args := []string{"python3", "-c", sqliteProgram, command, f.path, f.names().step}
	exit, text, err := f.box.exec(ctx, args, from, written)
	switch {
	case read != nil && read.err != nil:
		return said{}, read.err
	case written.err != nil:
		return said{}, written.err
	case err != nil && strings.Contains(err.Error(), "executable file not found"):
		return said{}, failure(reasonToolMissing, "name a pod or an image that has it in database.via", false,
			"%s: there is no python3 %s", doing, f.box.where())
	case err != nil:
		return said{}, err
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var answer said
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &answer); err != nil {
		return said{}, toolFailure("python3", cmp.Or(exit, 1), text, nil, nil, nil)
	}
	if exit == 0 && answer.Error == "" {
		return answer, nil
	}
	reason, remedy, retryable := reasonToolFailed, "", false
	switch {
	case answer.Missing:
		reason, remedy = reasonDatabaseNotFound, "correct database.path"
	case answer.Full:
		reason, retryable = reasonServerFull, true
		remedy = "make room in the volume, or in the temporary folder of the pod"
	case answer.Denied:
		reason, remedy, retryable = reasonPrivilegeMissing, "use a pod or image whose user may write there", true
	case answer.Locked:
		reason, remedy, retryable = reasonDatabaseInUse, "stop what locks it, or try again", true
	case answer.Damaged:
		reason, remedy = backup.ReasonSourceNotReadable, "look at it with PRAGMA integrity_check before anything else"
	}
	return said{}, failure(reason, remedy, retryable, "%s: %s", doing, strings.Join(strings.Fields(answer.Error), " "))
}

func (f *sqliteFile) facts(ctx context.Context, _ bool) (facts, error) {
	answer, err := f.ask(ctx, "facts", nil, nil)
	if err != nil {
		return facts{}, err
	}
	return facts{
		server: "SQLite " + answer.Version, product: "SQLite", version: answer.Version, identity: "sqlite:" + f.volume,
		tables: answer.Tables, revisions: answer.Revisions,
	}, nil
}

func (f *sqliteFile) prepare(context.Context) ([]backup.Tool, error) { return nil, nil }

// save streams a copy that SQLite itself makes of one moment. It is counted where it
// is stored from.
func (f *sqliteFile) save(ctx context.Context, out io.Writer) (backup.Counts, error) {
	_, err := f.ask(ctx, "save", nil, out)
	return backup.Counts{}, err
}

func (f *sqliteFile) rights(context.Context, []string) ([]Missing, error) { return nil, nil }

// kept is what is said of a restore when it is ready.
func (f *sqliteFile) restored(state said) *RestoreOutput {
	out := &RestoreOutput{Database: f.at.String(), Counted: state.Ready[strings.IndexByte(state.Ready, '\n')+1:]}
	if state.Kept {
		out.Kept = strings.TrimPrefix(path.Join(state.Work, "before"), mount+"/")
	}
	return out
}

func (f *sqliteFile) observeRestore(ctx context.Context) (action.Observed[RestoreOutput], error) {
	state, err := f.ask(ctx, "state", nil, nil)
	switch {
	case err != nil:
		return action.Observed[RestoreOutput]{}, err
	case !state.Begun:
		return action.Observed[RestoreOutput]{Status: action.NotStarted, Reason: "nothing was brought back yet"}, nil
	case !state.Done:
		return action.Observed[RestoreOutput]{
			Status: action.Partial, Reason: "it is being brought back, and is not all there yet",
		}, nil
	default:
		return action.Observed[RestoreOutput]{
			Status: action.Done, Output: f.restored(state), Reason: "it was brought back",
		}, nil
	}
}

func (f *sqliteFile) runRestore(ctx context.Context, m *backup.Manifest, stream stream) (*RestoreOutput, error) {
	state, err := f.ask(ctx, "state", nil, nil)
	if err != nil {
		return nil, err
	}
	if state.Done {
		return f.restored(state), nil
	}
	if err := f.nobody(ctx); err != nil {
		return nil, none(err)
	}
	if !state.Emptied && !strings.HasPrefix(state.Ready, m.ID+"\n") {
		if err := f.fetch(ctx, m, stream); err != nil {
			return nil, err
		}
	}
	if err := f.before("swap"); err != nil {
		return nil, err
	}
	if _, err := f.ask(ctx, "swap", nil, nil); err != nil {
		return nil, err
	}
	if state, err = f.ask(ctx, "state", nil, nil); err != nil {
		return nil, err
	}
	return f.restored(state), nil
}

// fetch writes the database beside its place, checks it and marks it as whole.
func (f *sqliteFile) fetch(ctx context.Context, m *backup.Manifest, stream stream) error {
	if err := f.before("fetch"); err != nil {
		return err
	}
	err := stream(func(dump io.Reader) (backup.Counts, error) {
		answer, err := f.ask(ctx, "fetch", dump, nil)
		return countsOfFile(answer.Tables), err
	})
	if err != nil {
		return err
	}
	if err := f.before("ready"); err != nil {
		return err
	}
	_, err = f.ask(ctx, "ready", strings.NewReader(m.ID+"\n"+m.Counts.String()), nil)
	return err
}

// countsOfFile sums tables up as package backup does for a file of SQLite.
func countsOfFile(tables []Table) backup.Counts {
	var c backup.Counts
	sum := sha256.New()
	for _, t := range tables {
		c.Tables++
		c.Rows += t.Rows
		_, _ = fmt.Fprintf(sum, "%q %d\n", t.Name, t.Rows)
	}
	c.Digest = hex.EncodeToString(sum.Sum(nil))
	return c
}

// nobody makes sure that no pod has the volume that could have the file open. Refit
// ends no pods: whoever permits a restore beside one says that it writes nothing.
func (f *sqliteFile) nobody(ctx context.Context) error {
	if f.disconnect {
		return nil
	}
	if f.claim == "" {
		return inUse(f.at.String(), []string{"pod " + f.self})
	}
	list, err := f.cluster.Typed.CoreV1().Pods(f.at.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return kube.Failure("see which pods of namespace "+f.at.Namespace+" use claim "+f.claim, err, action.ExtentNone)
	}
	var users []string
	for i := range list.Items {
		pod := &list.Items[i]
		ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		uses := slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool {
			return v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == f.claim
		})
		ours := f.at.Claim != "" && pod.Name == f.self
		if uses && !ended && !ours && pod.Labels[kube.StepLabel] == "" {
			users = append(users, "pod "+pod.Name)
		}
	}
	if len(users) > 0 {
		return inUse(f.at.String(), users)
	}
	return nil
}

func (f *sqliteFile) undoRestore(ctx context.Context) error {
	state, err := f.ask(ctx, "state", nil, nil)
	if err != nil || !state.Begun {
		return none(err)
	}
	if state.Emptied {
		if err := f.nobody(ctx); err != nil {
			return none(err)
		}
	}
	if err := f.before("undo"); err != nil {
		return err
	}
	_, err = f.ask(ctx, "undo", nil, nil)
	return err
}
