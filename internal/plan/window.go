package plan

import (
	"fmt"
	"time"

	"github.com/refitproject/refit/internal/platform"
)

// WindowValues returns the windows of a platform as the plain values that
// expressions see in platform.windows.
func WindowValues(p *platform.Platform) []any {
	out := []any{}
	for _, w := range p.Windows {
		value := map[string]any{
			"start": w.Start.Value, "duration": w.Duration.Value.String(), "zone": w.Zone.Value,
			"onClose": orElse(w.OnClose.Value, "pause"),
		}
		if len(w.Days) > 0 {
			days := make([]any, len(w.Days))
			for i, d := range w.Days {
				days[i] = d.Value
			}
			value["days"] = days
		}
		if w.Date.Value != "" {
			value["date"] = w.Date.Value
		}
		out = append(out, value)
	}
	return out
}

// windowsOf reads back what an expression made of platform.windows.
func windowsOf(value any) ([]Window, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("window must give a list of windows")
	}
	var out []Window
	for _, member := range list {
		m, ok := member.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("window must give a list of windows")
		}
		text := func(key string) string { s, _ := m[key].(string); return s }
		length, err := time.ParseDuration(text("duration"))
		if err != nil || text("start") == "" || text("zone") == "" {
			return nil, fmt.Errorf("a window needs start, duration and zone")
		}
		w := Window{
			Date: text("date"), Start: text("start"), Duration: Duration(length), Zone: text("zone"),
			OnClose: orElse(text("onClose"), "pause"),
		}
		days, _ := m["days"].([]any)
		for _, d := range days {
			w.Days = append(w.Days, fmt.Sprint(d))
		}
		out = append(out, w)
	}
	return out, nil
}

// windowPrefix begins the names of findings about windows.
const windowPrefix = "window/"

// noWindow is the finding about a stage whose window expression gives nothing:
// it may start at any time, or none of the platform's windows is for it.
func (s *stageBuilder) noWindow() Finding {
	f := Finding{Name: windowPrefix + s.stage.ID, Stage: s.stage.ID, Outcome: Warn, Reason: "NoWindows"}
	f.Message = "the platform file has no windows, so the stage may start at any time"
	if len(s.in.Platform.Windows) > 0 {
		f.Outcome, f.Reason = Fail, "NoWindowFits"
		f.Message = "the expression of its window chooses none of the windows of the platform"
		f.Remedy = "mend the expression, or add a window that it chooses"
	}
	return f
}

// windowFinding says whether the stage fits its windows, rollback included.
func windowFinding(s *Stage, summary *StageSummary) *Finding {
	if len(s.Windows) == 0 {
		return nil
	}
	shortest := s.Windows[0].Duration
	for _, w := range s.Windows {
		shortest = min(shortest, w.Duration)
	}
	need := summary.InWindow.Worst + summary.Rollback.Worst
	fits := need <= shortest
	summary.FitsWindow = &fits
	f := &Finding{Name: windowPrefix + s.ID, Stage: s.ID, Outcome: Pass, Reason: "FitsWindow"}
	f.Message = fmt.Sprintf("needs at most %s, rollback included, of a window of %s", need, shortest)
	if fits {
		return f
	}
	f.Remedy = "make the window longer, split the stage, or write shorter durations that earlier runs prove"
	if !summary.InWindow.Known || !summary.Rollback.Known {
		f.Outcome, f.Reason = Warn, "WindowNotKnown"
		f.Message = fmt.Sprintf("may need %s, rollback included, of a window of %s: "+
			"steps without a duration count with their timeout", need, shortest)
		f.Remedy = "write the duration of the steps that have none"
		return f
	}
	f.Outcome, f.Reason = Fail, "DoesNotFitWindow"
	f.Message = fmt.Sprintf("may need %s, rollback included, and the shortest window has %s", need, shortest)
	return f
}
