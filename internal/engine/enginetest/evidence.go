package enginetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// evidence has the scenarios about what is kept beside a history.
func evidence() map[string]func(*testing.T, *host) {
	return map[string]func(*testing.T, *host){
		"LargeOutput": largeOutput, "OutputTooLarge": outputTooLarge, "Log": logs, "Progress": progress,
	}
}

func (b *bench) keeper() engine.Keeper {
	b.t.Helper()
	k, ok := b.Engine.(engine.Keeper)
	if !ok {
		b.lacks("it keeps no evidence")
	}
	return k
}

func (b *bench) read(r io.ReadCloser, err error) []byte {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		b.t.Fatal(err)
	}
	return data
}

// largeOutput keeps an output beside the history by its digest.
func largeOutput(t *testing.T, h *host) {
	b := h.bench(t)
	b.keeper()
	large := []byte(`{"value":"` + strings.Repeat("x", 1<<20) + `"}`)
	b.world.Answer = func(ctx context.Context, a engine.Assignment) (run.Body, error) {
		c, ok := a.Command.(run.PerformOperation)
		if !ok || c.Op.Step != "s0" {
			return nil, nil
		}
		b.world.perform(c)
		end := &run.OperationEnded{Op: c.Op, Attempt: c.Attempt, OK: true}
		for range 2 { // Keeping the same twice changes nothing.
			digest, err := a.Keep(ctx, "output", large)
			if err != nil {
				return nil, err
			}
			end.OutputArtefact = &run.Artefact{Name: "output", Digest: digest, Size: int64(len(large))}
		}
		back, err := a.Fetch(ctx, end.OutputArtefact.Digest)
		if err != nil || !bytes.Equal(back, large) {
			t.Errorf("%d bytes came back, %v", len(back), err)
		}
		return end, nil
	}
	id := b.create(Chain(t, 2), 1)
	b.finish(id, run.Succeeded)
	b.restart()
	keeper := b.keeper()
	digest := b.step(id, "s0").Ops[0].OutputArtefact.Digest
	if got := b.read(keeper.Artefact(t.Context(), digest)); !bytes.Equal(got, large) {
		t.Fatalf("%d bytes came back, want %d", len(got), len(large))
	}
	none := "sha256:" + strings.Repeat("0", 64)
	for _, wrong := range []string{"", "sha256:", "../x", none, "sha256:../../refit.db"} {
		if r, err := keeper.Artefact(t.Context(), wrong); err == nil {
			_ = r.Close()
			t.Errorf("there is an artefact %q", wrong)
		}
	}
}

// outputTooLarge refuses an output that does not fit into an event: nothing is
// lost, the effect is observed.
func outputTooLarge(t *testing.T, h *host) {
	b := h.bench(t)
	once := true
	b.world.Answer = func(_ context.Context, a engine.Assignment) (run.Body, error) {
		c, ok := a.Command.(run.PerformOperation)
		if !ok || c.Op.Step != "s0" || !once {
			return nil, nil
		}
		once = false
		b.world.perform(c)
		return &run.OperationEnded{
			Op: c.Op, Attempt: c.Attempt, OK: true, Output: []byte(`"` + strings.Repeat("x", run.MaxOutput) + `"`),
		}, nil
	}
	id := b.create(Chain(t, 2), 1)
	out := b.drive(id)
	if out.Err == nil || strings.Contains(out.Err.Error(), "\n") || out.Status.Final() {
		t.Fatalf("got %+v", out)
	}
	if _, damaged := errors.AsType[*engine.DamagedError](out.Err); damaged {
		t.Fatalf("the history is called damaged: %v", out.Err)
	}
	b.finish(id, run.Succeeded)
	b.once(id, "do only/s0", "do only/s1")
}

// logs keeps what an attempt writes.
func logs(t *testing.T, h *host) {
	b := h.bench(t)
	keeper := b.keeper()
	b.world.Meet = func(_ context.Context, a engine.Assignment) error {
		if _, ok := a.Command.(run.PerformOperation); ok {
			_, err := io.WriteString(a.Log, "one line of "+a.Command.ID()+"\n")
			return err
		}
		return nil
	}
	id := b.create(Chain(t, 2), 1)
	b.finish(id, run.Succeeded)
	op := run.Ref{What: run.Do, Stage: "only", Step: "s1"}
	if got := string(b.read(keeper.Log(t.Context(), id, op, 1))); got != "one line of run do only/s1#1\n" {
		t.Fatalf("the log is %q", got)
	}
	if _, err := keeper.Log(t.Context(), id, op, 2); !errors.Is(err, engine.ErrNotFound) {
		t.Fatalf("got %v for an attempt that never was", err)
	}
}

// progress is told to who drives, shown to others, and never an event.
func progress(t *testing.T, h *host) {
	b := h.bench(t)
	held := make(chan struct{})
	b.world.Meet = func(_ context.Context, a engine.Assignment) error {
		if _, ok := a.Command.(run.PerformOperation); ok {
			a.Progress(action.Progress{Done: 1, Total: 2, Unit: "rows"})
			<-held
		}
		return nil
	}
	id := b.create(Chain(t, 1), 1)
	told := make(chan action.Progress, 1)
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{
		Runs: []string{id}, By: "ada",
		OnProgress: func(_, _ string, p action.Progress) { told <- p },
	})
	if p := receive(t, "the progress", told); p.Done != 1 || p.Total != 2 {
		t.Errorf("got %+v", p)
	}
	other := b.another()
	eventually(t, "the progress elsewhere", func() bool {
		snap, err := other.Load(t.Context(), id)
		p := snap.Progress["run do only/s0#1"]
		return err == nil && p.Total == 2 && !p.Since.IsZero()
	})
	events := len(b.history(id))
	close(held)
	receive(t, "the end of the run", done)
	if events > len(b.history(id)) {
		t.Error("the history has shrunk")
	}
}
