package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Kept names the folder for what failed tests leave: test/e2e/failed if it is
// not set.
const Kept = "REFIT_E2E_KEPT"

// keep writes events, objects and logs of the namespace into a folder of the
// test's own. Secrets are not among them.
func (s *Space) keep(ctx context.Context) {
	root := os.Getenv(Kept)
	if root == "" {
		root = filepath.Join("..", "failed")
	}
	dir, err := filepath.Abs(filepath.Join(root, strings.ReplaceAll(s.t.Name(), "/", "-")+"-"+s.Name))
	if err == nil {
		err = os.MkdirAll(dir, 0o750)
	}
	if err == nil {
		err = s.keepAll(ctx, dir)
	}
	if err != nil {
		s.t.Logf("keep what is in namespace %s: %v", s.Name, err)
	}
	s.t.Logf("what was in namespace %s is in %s", s.Name, dir)
}

func (s *Space) keepAll(ctx context.Context, dir string) error {
	return errors.Join(s.keepEvents(ctx, dir), s.keepObjects(ctx, dir), s.keepLogs(ctx, dir))
}

func (s *Space) keepEvents(ctx context.Context, dir string) error {
	events, err := s.Client.CoreV1().Events(s.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list events: %w", err)
	}
	slices.SortStableFunc(events.Items, func(a, b corev1.Event) int { return when(a).Compare(when(b)) })
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, e := range events.Items {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s/%s\t%s\t%s\n", when(e).UTC().Format(time.TimeOnly), e.Type,
			e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason,
			strings.TrimSpace(e.Message)) // A builder takes all.
	}
	_ = w.Flush() // The same.
	return os.WriteFile(filepath.Join(dir, "events.txt"), []byte(text.String()), 0o600)
}

// when tells when an event was last seen; each kind of sender says it elsewhere.
func when(e corev1.Event) time.Time {
	for _, t := range []time.Time{e.LastTimestamp.Time, e.EventTime.Time} {
		if !t.IsZero() {
			return t
		}
	}
	return e.CreationTimestamp.Time
}

func (s *Space) keepObjects(ctx context.Context, dir string) error {
	core, none := s.Client.CoreV1(), metav1.ListOptions{}
	pods, err1 := core.Pods(s.Name).List(ctx, none)
	services, err2 := core.Services(s.Name).List(ctx, none)
	claims, err3 := core.PersistentVolumeClaims(s.Name).List(ctx, none)
	deployments, err4 := s.Client.AppsV1().Deployments(s.Name).List(ctx, none)
	sets, err5 := s.Client.AppsV1().StatefulSets(s.Name).List(ctx, none)
	errs := []error{err1, err2, err3, err4, err5}
	for name, list := range map[string]any{
		"pods": pods, "services": services, "claims": claims, "deployments": deployments, "statefulsets": sets,
	} {
		text, err := yaml.Marshal(list)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".yaml"), text, 0o600)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (s *Space) keepLogs(ctx context.Context, dir string) error {
	pods, err := s.Client.CoreV1().Pods(s.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	var errs []error
	for _, pod := range pods.Items {
		for _, c := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
			options := corev1.PodLogOptions{Container: c.Name}
			errs = append(errs, s.keepLog(ctx, dir, pod.Name, options))
			if c.RestartCount > 0 {
				options.Previous = true
				errs = append(errs, s.keepLog(ctx, dir, pod.Name, options))
			}
		}
	}
	return errors.Join(errs...)
}

func (s *Space) keepLog(ctx context.Context, dir, pod string, options corev1.PodLogOptions) error {
	text, err := s.Client.CoreV1().Pods(s.Name).GetLogs(pod, &options).DoRaw(ctx)
	if err != nil {
		text = []byte("there is no log: " + err.Error() + "\n")
	}
	name := pod + "." + options.Container
	if options.Previous {
		name += ".previous"
	}
	return os.WriteFile(filepath.Join(dir, name+".log"), text, 0o600)
}
