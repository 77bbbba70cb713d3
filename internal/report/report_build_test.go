package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/probe"
	"github.com/refitproject/refit/internal/run"
)

// kept returns the source of the report of a run that is kept as an export.
func kept(t *testing.T, file string) Source {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	var head struct {
		ID, Platform, Digest, By, Dir, Head string
		Created                             time.Time
		Plans                               int
	}
	read := func(v any) {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("%s ends too early", file)
		}
		if err := json.Unmarshal(lines.Bytes(), v); err != nil {
			t.Fatal(err)
		}
	}
	read(&head)
	plans := map[string]*plan.Plan{}
	for range head.Plans {
		var data []byte
		read(&data)
		p, err := plan.Read(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		plans[p.Digest] = p
	}
	state := run.WithPlans(run.New(plans[head.Digest], head.ID),
		func(digest string) (*plan.Plan, error) { return plans[digest], nil })
	var events []Event
	for lines.Scan() {
		var line struct {
			Hash  string
			Event json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		e, err := run.DecodeEvent(line.Event)
		if err != nil {
			t.Fatal(err)
		}
		if state, err = run.Advance(state, e); err != nil {
			t.Fatal(err)
		}
		events = append(events, Event{e, "sha256:" + line.Hash})
	}
	return Source{
		RunSource: RunSource{
			Info: RunInfo{
				ID: head.ID, Platform: head.Platform, Digest: head.Digest, Status: state.Status, Created: head.Created,
				Updated: state.At, By: head.By, Dir: head.Dir, Events: state.Seq, Head: head.Head,
			},
			State: state, Now: state.At.Add(time.Hour),
		},
		Events: events, Version: "v1.0.0",
	}
}

// reports are the runs whose reports are compared: those that engines of all
// versions have kept, and richer ones.
func reports(t *testing.T) map[string]Source {
	t.Helper()
	out := map[string]Source{}
	files, err := filepath.Glob("../engine/local/testdata/histories/*/*.jsonl")
	if err != nil || len(files) < 7 {
		t.Fatalf("found the histories %q, %v", files, err)
	}
	for _, file := range files {
		out["kept-"+strings.TrimSuffix(filepath.Base(file), ".jsonl")] = kept(t, file)
	}
	for name, s := range map[string]*scene{"wiki-halted": failing(t), "wiki-in-doubt": doubtful(t), "wiki": whole(t)} {
		out[name] = s.report()
	}
	hostileRun := hostile(t).report()
	hostileRun.Info.Platform, hostileRun.Info.By = evil, evil
	out["hostile"] = hostileRun
	measured := out["wiki"]
	measured.Probes, measured.Spans = sampled(measured.Info.Updated)
	out["wiki"] = measured
	return out
}

// sampled returns samples of the hour before an end: the database was down for six
// and a half minutes, and for half a minute nobody looked; search never was.
func sampled(end time.Time) ([]probe.Plan, []probe.Span) {
	probes := []probe.Plan{
		{Name: "rows", Component: "database", Every: time.Second, Timeout: time.Second},
		{Name: "index", Component: "search", Every: time.Second, Timeout: time.Second},
	}
	from := end.Add(-time.Hour)
	at := func(seconds int) time.Time { return from.Add(time.Duration(seconds) * time.Second) }
	span := func(name string, up bool, from, to int, why string) probe.Span {
		return probe.Span{Probe: name, Up: up, From: at(from), To: at(to), Samples: to - from + 1, Why: why}
	}
	const all = 60 * 60
	return probes, []probe.Span{
		span("rows", true, 0, 600, ""), span("rows", false, 601, 990, "connection refused"),
		span("rows", true, 991, 1200, ""), span("rows", true, 1230, all, ""),
		span("index", true, 0, all, ""),
	}
}

// report is the source of a report of the scene.
func (s *scene) report() Source {
	s.t.Helper()
	src := Source{RunSource: s.source(false), Version: "v1.0.0"}
	for _, e := range s.events {
		src.Events = append(src.Events, Event{e, digestOf("event " + number(int(e.Seq)))})
	}
	return src
}

// whole returns a run with everything in it: an edit, a backup, a lease that is
// given back, a failed attempt, a crash, a risk that was accepted, a day of
// waiting, a person's work.
func whole(t *testing.T) *scene {
	t.Helper()
	p := wikiPlan()
	p.Findings = []plan.Finding{{
		Name: "risk/search-index", Stage: "to-2.0.0", Outcome: plan.Fail, Reason: "RiskIsReal",
		Message: "the search index is built again", Remedy: "tell the authors", Accepted: &plan.Accepted{
			By: "ana", Reason: "Nobody searches at night.", Expires: "2026-12-31",
		},
	}, {Name: "requirement/kubernetes", Outcome: plan.Pass, Reason: "Satisfied", Message: "Kubernetes is 1.33"}}
	s := newScene(t, p)
	tries := 0
	s.answer = func(c run.Command) (run.Body, bool) {
		if _, ok := c.(run.Timer); ok && tries == 1 {
			tries++
			s.now = s.now.Add(time.Minute)
			return &run.TimerFired{Timer: c.(run.Timer).Timer}, true
		}
		if op, ok := performing(c, "upgrade"); ok && tries == 0 {
			tries++
			s.now = s.now.Add(3 * time.Minute)
			return &run.OperationEnded{
				Op: op.Op, Attempt: op.Attempt, Extent: "none", Retryable: true, Reason: "Timeout",
				Message:   "Error: UPGRADE FAILED: timed out waiting for the condition",
				Output:    json.RawMessage(`{"stderr":"pod wiki-0: ImagePullBackOff\nError: UPGRADE FAILED\n","code":1}`),
				Artefacts: []run.Artefact{{Name: "pods.txt", Digest: digestOf("pods"), Size: 48213}},
			}, true
		}
		if op, ok := performing(c, "upgrade"); ok {
			s.now = s.now.Add(7 * time.Minute)
			return &run.OperationEnded{Op: op.Op, Attempt: op.Attempt, OK: true, Output: json.RawMessage(
				`{"path":"/srv/wiki/values.yaml","changed":true,"diff":"--- values.yaml\n+++ values-2.yaml\n` +
					`@@ -1,3 +1,3 @@\n image:\n-  tag: 1.2.0\n+  tag: 2.0.0\n debug: false\n"}`)}, true
		}
		if op, ok := performing(c, "backup"); ok {
			s.now = s.now.Add(4 * time.Minute)
			return &run.OperationEnded{Op: op.Op, Attempt: op.Attempt, OK: true, Output: json.RawMessage(
				`{"id":"wiki-prod/2026-11-21/database","bytes":5368709120,"rows":48213,"proof":3}`)}, true
		}
		return nil, false
	}
	s.begin().goOn()
	s.now = s.now.Add(9 * time.Hour)
	s.approve().goOn().approve().goOn()
	s.now = s.now.Add(30 * time.Minute)
	s.event(&run.OwnerChanged{Owner: "bob@desk", Epoch: 2}).goOn()
	s.event(&run.PersonDone{
		Who: run.Who{By: "cyd@desk", From: "pts/4"}, Gate: run.GateRef{Stage: "to-2.4.1", Step: "tell"},
		Evidence: json.RawMessage(`{"ticket":"OPS-7"}`),
	})
	return s.goOn()
}

// evil is a text that tries everything: markup, escape sequences, a change of
// direction, Markdown.
const evil = "</title><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>" +
	"\x1b[2J\x1b]8;;http://evil.example\x07" +
	"\u202egnp.exe\u202c |`*_[a](javascript:alert(3)) {{.}} \xff שלום"

// hostile returns a run all of whose texts are evil, and an output too large to
// show.
func hostile(t *testing.T) *scene {
	t.Helper()
	p := wikiPlan()
	p.Procedure.Name = evil
	for i := range p.Stages {
		for j := range p.Stages[i].Steps {
			p.Stages[i].Steps[j].Description = evil
		}
	}
	p.Findings = []plan.Finding{{Name: evil, Outcome: plan.Warn, Message: evil, Reason: "Evil", Remedy: evil}}
	output, err := json.Marshal(map[string]any{
		"path": evil, "diff": "-" + evil + "\n+" + strings.Repeat("long ", 20_000) + "\n```\n# title\n",
		"stdout": strings.Repeat(evil+"\n", 200), evil: evil, "list": make([]int, 5000),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := newScene(t, p)
	s.answer = func(c run.Command) (run.Body, bool) {
		op, ok := performing(c, "logins-off")
		if ok {
			return &run.OperationEnded{Op: op.Op, Attempt: op.Attempt, OK: true, Output: output}, true
		}
		op, ok = performing(c, "upgrade")
		return &run.OperationEnded{
			Op: op.Op, Attempt: op.Attempt, Extent: "none", Reason: evil, Message: strings.Repeat(evil, 50), Output: output,
		}, ok
	}
	s.begin().goOn()
	for _, by := range []string{evil, evil + "2"} {
		s.event(&run.Approved{
			Who:  run.Who{By: by, From: evil, Groups: []string{"owners"}, Reason: evil},
			Gate: run.GateRef{Stage: "to-2.0.0", Name: "approval"}, Digest: digestOf("to 2"), Facts: digestOf("facts"),
		})
	}
	return s.goOn()
}

func TestReport(t *testing.T) {
	t.Parallel()
	for name, src := range reports(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := BuildReport(src)
			golden(t, "report-"+name+".html", render(t, func(w io.Writer) error { return RenderHTML(w, &r) }))
			golden(t, "report-"+name+".md", render(t, func(w io.Writer) error { return RenderMarkdown(w, &r) }))
			golden(t, "report-"+name+".json", indented(t, &r))
		})
	}
}
