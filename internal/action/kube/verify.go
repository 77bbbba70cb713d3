package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
)

// VerifyInput is the input of kube.verify.
type VerifyInput struct {
	Store  string           `json:"store" doc:"Address of the store."`
	Backup string           `json:"backup" doc:"Id of the backup, as kube.backup hands it out."`
	Level  int              `json:"level,omitempty" doc:"Level of the proof from 1 to 3; default 3."`
	Key    action.SecretRef `json:"key,omitempty" refit:"secret" doc:"Age identity of an encrypted backup; level 1 needs none."`
}

// VerifyOutput is the output of kube.verify.
type VerifyOutput struct {
	Backup  string   `json:"backup" doc:"Id of the backup."`
	Level   int      `json:"level" doc:"Level of the proof."`
	Objects int64    `json:"objects" doc:"How many objects the backup holds."`
	Made    int64    `json:"made" doc:"How many were made in the scratch namespace, read back and compared; level 3."`
	Tried   int64    `json:"tried" doc:"How many the server has accepted in a dry run, because they would act; level 3."`
	Untried []string `json:"untried" doc:"The first objects of which a policy or a webhook did not permit a dry run in the scratch namespace; only seen by the attempt that proved the backup."`
}

// Verify returns the action kube.verify.
func Verify(w World) action.Action {
	return action.Define(action.Definition[VerifyInput, VerifyOutput]{
		Name:    "kube.verify",
		Version: 1,
		Summary: "Prove a backup of a namespace once more, without waking what is in it.",
		Effect:  action.Scratch,
		// What an attempt has left of its scratch namespace, the next one removes.
		Resumable: true,
		Targets:   []string{kube.KindTarget},
		NoUndo:    "a proof takes nothing from anybody",
		Typical:   30 * time.Second,
		Worst:     15 * time.Minute,
		Check: func(in VerifyInput) error {
			if in.Backup == "" || in.Level < 0 || in.Level > backup.Restored {
				return errors.New("field \"level\" is between 1 and 3, and field \"backup\" an id")
			}
			return nil
		},
		Preview: func(_ context.Context, _ action.Env, in VerifyInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("prove backup %q at level %d", in.Backup, in.level())}, nil
		},
		Observe: w.observeProof,
		Run:     w.runProof,
		Access:  w.accessVerify,
	})
}

func (in VerifyInput) level() int { return cmp.Or(in.Level, backup.Restored) }

func (w World) observeProof(
	ctx context.Context, env action.Env, in VerifyInput,
) (action.Observed[VerifyOutput], error) {
	s, err := w.openStore(env, in.Store)
	if err != nil {
		return action.Observed[VerifyOutput]{}, err
	}
	e, err := s.find(ctx, in.Backup)
	if err != nil {
		return action.Observed[VerifyOutput]{}, err
	}
	mine := slices.IndexFunc(e.Proofs, func(proof backup.Proof) bool {
		return proof.Key == env.Key && proof.Origin == env.Origin && proof.Level >= in.level()
	})
	if mine < 0 || env.Key == "" {
		return action.Observed[VerifyOutput]{Status: action.NotStarted, Reason: "this step has not proved it"}, nil
	}
	out := provedOutput(e.Manifest, e.Proofs[mine].Level)
	return action.Observed[VerifyOutput]{Status: action.Done, Output: &out}, nil
}

// provedOutput tells what a proof of a level has done with the objects of a manifest.
func provedOutput(m *backup.Manifest, level int) VerifyOutput {
	out := VerifyOutput{Backup: m.ID, Level: level, Objects: m.Counts.Objects, Untried: []string{}}
	if level < backup.Restored {
		return out
	}
	for _, item := range m.Items {
		if onlyData(groupKindOf(item)) {
			out.Made++
		} else {
			out.Tried++
		}
	}
	return out
}

func (w World) runProof(ctx context.Context, env action.Env, in VerifyInput, _ map[string]any) (VerifyOutput, error) {
	seen, err := w.observeProof(ctx, env, in)
	if err == nil && seen.Status == action.Done {
		return *seen.Output, nil
	}
	s, err := w.unlock(ctx, env, in.Store, in.Key)
	if err != nil {
		return VerifyOutput{}, err
	}
	e, err := s.find(ctx, in.Backup)
	if err != nil {
		return VerifyOutput{}, err
	}
	cluster, err := w.Kube.Connect(env)
	if err != nil {
		return VerifyOutput{}, err
	}
	r := w.reader(env, cluster)
	s.worker.Objects = r.read
	proof, err := s.worker.Prove(ctx, s, e, in.level(), s.key)
	if err != nil {
		return VerifyOutput{}, action.WithExtent(err, action.ExtentNone)
	}
	out := provedOutput(e.Manifest, proof.Level)
	out.Tried -= int64(len(r.untried))
	out.Untried = append(out.Untried, r.untried[:min(len(r.untried), maxNames)]...)
	return out, nil
}
