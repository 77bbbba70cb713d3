package service

import (
	"context"
	"time"

	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/report"
)

// PruneRules say which backups of each series are kept. The last good one and the
// one that is proved best stay in any case.
type PruneRules struct {
	// Keep is how many good ones are kept; 0 for none but those that stay.
	Keep int
	// Within keeps what is younger than the newest by less than that; 0 for none.
	Within time.Duration
}

// Pruning is what the rules say about a store, before anything is removed.
type Pruning struct {
	Result   report.PruneResult
	store    *openBackups
	verdicts []backup.Verdict
}

// JudgeBackups says which backups of a store go by the rules. Nothing is removed.
func (s *Service) JudgeBackups(ctx context.Context, from BackupStore, rules PruneRules) (*Pruning, error) {
	if rules.Keep < 0 || rules.Within < 0 || rules.Keep == 0 && rules.Within == 0 {
		return nil, usageErrorf("it is not said which backups to keep").
			suggest("give --keep NUMBER, --within TIME, or both")
	}
	store, err := s.openBackups(from)
	if err != nil {
		return nil, err
	}
	held, err := s.activeRuns(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := s.catalog(ctx, store)
	if err != nil {
		return nil, err
	}
	p := &Pruning{
		store:    store,
		verdicts: backup.Judge(entries, backup.Policy{Last: rules.Keep, Within: rules.Within, Held: held}),
		Result: report.PruneResult{
			Store: store.address, Goes: []report.PruneLine{}, Stays: []report.PruneLine{}, Removed: []string{},
		},
	}
	r := &p.Result
	for i := range p.verdicts {
		v := &p.verdicts[i]
		line := report.PruneLine{BackupInfo: infoOfBackup(&v.Entry), Why: v.Why}
		if v.Keep {
			r.Stays = append(r.Stays, line)
		} else {
			r.Goes = append(r.Goes, line)
			r.Freed += line.Stored
		}
	}
	return p, nil
}

// PruneBackups removes what was judged to go. What somebody has added to
// meanwhile stays.
func (s *Service) PruneBackups(ctx context.Context, p *Pruning) error {
	r := &p.Result
	err := backup.Prune(ctx, p.store, p.verdicts, func(v backup.Verdict) {
		r.Removed = append(r.Removed, v.Entry.ID)
		s.o.Progress(Note{Text: "removed " + v.Entry.ID, Done: len(r.Removed), Total: len(r.Goes)})
	})
	return backupError(err)
}
