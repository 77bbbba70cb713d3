package service

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
)

// mostLog is how much of one attempt's log is shown.
const mostLog = 1 << 20

// Logs returns what is kept of a step: its events with their evidence, and what
// the action wrote.
func (s *Service) Logs(ctx context.Context, id, stage, step string) (*report.StepLog, error) {
	e, err := s.host(ctx)
	if err != nil {
		return nil, err
	}
	_, v, err := s.view(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := hasStepIn(v, stage, step); err != nil {
		return nil, err
	}
	records, err := e.History(ctx, id, 0, 0)
	if err != nil {
		return nil, runError(id, err)
	}
	log := &report.StepLog{Run: id, Stage: stage, Step: step, Entries: []report.LogEntry{}}
	keeper, keeps := e.(engine.Keeper)
	for _, r := range records {
		evidence, about := report.AboutStep(r.Event.Body, stage, step)
		if !about {
			continue
		}
		line, err := report.BuildEvent(id, r.Event)
		if err != nil {
			return nil, err
		}
		log.Entries = append(log.Entries, report.NewLogEntry(line, evidence))
		if started, ok := r.Event.Body.(*run.OperationStarted); ok && keeps {
			name := line.Where + ", attempt " + strconv.Itoa(started.Attempt)
			text, err := readLog(ctx, keeper, id, started)
			if err != nil {
				return nil, err
			}
			if text != "" {
				log.Texts = append(log.Texts, report.AttemptLog{Name: name, Text: text})
			}
		}
	}
	return log, nil
}

// readLog reads what an attempt wrote; nothing when it wrote nothing.
func readLog(ctx context.Context, k engine.Keeper, id string, started *run.OperationStarted) (string, error) {
	r, err := k.Log(ctx, id, started.Op, started.Attempt)
	if errors.Is(err, engine.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", runError(id, err)
	}
	defer func() { _ = r.Close() }() // It was only read from.
	data, err := io.ReadAll(io.LimitReader(r, mostLog))
	return string(data), err
}

// Artefact writes evidence that is kept beside the history to w.
func (s *Service) Artefact(ctx context.Context, digest string, w io.Writer) error {
	e, err := s.host(ctx)
	if err != nil {
		return err
	}
	k, ok := e.(engine.Keeper)
	if !ok {
		return usageErrorf("this engine keeps no artefacts")
	}
	r, err := k.Artefact(ctx, digest)
	if err != nil {
		return runError("", err)
	}
	defer func() { _ = r.Close() }() // It was only read from.
	_, err = io.Copy(w, r)
	return err
}
