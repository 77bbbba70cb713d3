package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/refitproject/refit/internal/detect"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/report"
)

// detectFile says how the platform of a shipped procedure is recognised.
const detectFile = "detect.yaml"

// DetectRequest says in which cluster platforms are looked for.
type DetectRequest struct {
	// Kubeconfig is empty for what the environment names, Context for the current one.
	Kubeconfig, Context string
}

// Detect looks for the platforms of all shipped procedures in a cluster. Nothing is
// changed.
func (s *Service) Detect(ctx context.Context, req DetectRequest) (report.Detected, error) {
	if s.o.Clusters == nil {
		return report.Detected{}, errors.New("this program reaches no clusters")
	}
	dir, err := filepath.Abs(".")
	if err != nil {
		return report.Detected{}, fmt.Errorf("find the current folder: %w", err)
	}
	cluster, err := s.o.Clusters.Open(req.Kubeconfig, req.Context, dir)
	if err != nil {
		return report.Detected{}, err
	}
	out := report.Detected{Cluster: cluster.Name, Platforms: []report.DetectedPlatform{}}
	names, err := s.shipped()
	if err != nil {
		return report.Detected{}, err
	}
	for _, name := range names {
		rules, err := s.detection(name)
		if err != nil {
			return report.Detected{}, err
		}
		if rules == nil {
			continue
		}
		out.Looked = append(out.Looked, rules.Chart)
		s.o.Progress(Note{Text: "looking for " + name + " in " + cluster.Name})
		found, err := rules.Find(ctx, cluster)
		if err != nil {
			return report.Detected{}, err
		}
		for i := range found {
			out.Platforms = append(out.Platforms, detected(name, &found[i]))
		}
	}
	return out, nil
}

// detection reads the rules of a shipped procedure, nil when it has none.
func (s *Service) detection(name string) (*detect.Rules, error) {
	file := path.Join(name, detectFile)
	data, err := fs.ReadFile(s.o.Shipped, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // None is an answer.
	}
	if err != nil {
		return nil, fmt.Errorf("read how %s is recognised: %w", name, err)
	}
	proc, _, _, err := s.loadProcedure(name, "", diag.Position{})
	if err != nil {
		return nil, err
	}
	rules, ds := detect.Load(file, data, proc.Inputs)
	if rules == nil {
		return nil, ds
	}
	return rules, nil
}

// unnamed is what a platform's name cannot hold.
var unnamed = regexp.MustCompile(`[^a-z0-9]+`)

func detected(procedure string, f *detect.Found) report.DetectedPlatform {
	name := f.Release.Namespace
	if f.Release.Name != name {
		name += "-" + f.Release.Name
	}
	out := report.DetectedPlatform{
		Name:      strings.Trim(unnamed.ReplaceAllString(strings.ToLower(name), "-"), "-"),
		Procedure: procedure, Release: f.Release.Name, Namespace: f.Release.Namespace,
		Version: f.Release.Version, AppVersion: f.Release.AppVersion, Status: f.Release.Status,
	}
	for _, in := range f.Inputs {
		shown := report.DetectedInput{Name: in.Name, Value: in.Value}
		if in.Value == nil {
			shown.Open = in.Otherwise
			if in.Why != "" {
				shown.Open = strings.TrimSpace(in.Why + ". " + in.Otherwise)
			}
			if shown.Open == "" {
				shown.Open = "it was not found"
			}
		}
		out.Inputs = append(out.Inputs, shown)
	}
	return out
}

// WriteDetected writes the platform file of a platform that was found to file. What is
// not known yet stands there as a comment with what to do. A file that is there is only
// replaced when replace is set.
func (s *Service) WriteDetected(d report.DetectedPlatform, req DetectRequest, file string, replace bool) error {
	answers := map[string]string{"name": d.Name}
	open := map[string]string{}
	for _, in := range d.Inputs {
		if in.Value != nil {
			answers["inputs."+in.Name] = typed(in.Value)
		} else {
			open["inputs."+in.Name] = in.Open
		}
	}
	iv, err := s.Interview(InitRequest{File: file, Procedure: d.Procedure, Answers: answers})
	if err != nil {
		return err
	}
	for _, t := range iv.procedure.Document.Targets {
		if t.Value.Kind.Value == kube.KindTarget {
			answers["targets."+t.Name+".context"] = req.Context
			answers["targets."+t.Name+".kubeconfig"] = req.Kubeconfig
		}
	}
	iv.answers, iv.open = answers, open
	if err := iv.MayWrite(replace); err != nil {
		return err
	}
	draft, bad := iv.draft()
	for key, err := range bad {
		return fmt.Errorf("%s: %w", key, err)
	}
	text, err := platform.Render(draft)
	if err != nil {
		return err
	}
	name, err := saveName(file)
	if err != nil {
		return err
	}
	return writeText(name, file, text.Text, replace)
}
