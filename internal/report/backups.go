package report

import "time"

// BackupState says what can be seen of a backup without reading its parts.
type BackupState string

// The states. Only a backup that is Proved or Unproved can be restored.
const (
	BackupProved     BackupState = "proved"
	BackupUnproved   BackupState = "unproved"
	BackupIncomplete BackupState = "incomplete"
	BackupDamaged    BackupState = "damaged"
)

// BackupInfo is a backup in a list.
type BackupInfo struct {
	ID    string      `json:"id"`
	State BackupState `json:"state"`
	// Problem is what is wrong with it, or with its proofs.
	Problem string `json:"problem,omitempty"`
	// Stored is how many bytes the store has of it, Written when it was put there
	// last, by the clock of the store.
	Stored  int64     `json:"stored"`
	Written time.Time `json:"written"`

	// What follows is said by the manifest, and empty without one.

	Name string `json:"name,omitempty"`
	Kind string `json:"kind,omitempty"`
	Host string `json:"host,omitempty"`
	Path string `json:"path,omitempty"`
	// Began is when reading began, Ended when everything was stored.
	Began time.Time `json:"began,omitzero"`
	Ended time.Time `json:"ended,omitzero"`
	// Size is that before compression.
	Size      int64 `json:"size,omitempty"`
	Encrypted bool  `json:"encrypted"`
	// Proof is the best one; nil without any.
	Proof *BackupProof `json:"proof,omitempty"`
}

// BackupProof is the outcome of one check.
type BackupProof struct {
	// Level is 1 read back, 2 parsed, 3 restored and counted.
	Level   int       `json:"level"`
	At      time.Time `json:"at"`
	Host    string    `json:"host,omitempty"`
	Took    string    `json:"took,omitempty"`
	Counted string    `json:"counted,omitempty"`
}

// BackupDetail is everything that is known of a backup.
type BackupDetail struct {
	BackupInfo
	Store string `json:"store"`
	// Step is the key of the effect that made it: run, stage and step.
	Step string `json:"step,omitempty"`
	// Sequence counts the backups of a series.
	Sequence   int64         `json:"sequence,omitempty"`
	Excluded   []string      `json:"excluded,omitempty"`
	Counted    string        `json:"counted,omitempty"`
	Parts      int           `json:"parts"`
	Level      int           `json:"level,omitempty"`
	Recipients []string      `json:"recipients,omitempty"`
	Tools      []string      `json:"tools,omitempty"`
	Manifest   string        `json:"manifest,omitempty"`
	Proofs     []BackupProof `json:"proofs"`
}

// RestoreResult is what was brought back.
type RestoreResult struct {
	Backup string `json:"backup"`
	Path   string `json:"path"`
	// Kept is the folder that holds what was there before; empty when nothing was.
	Kept    string `json:"kept,omitempty"`
	Counted string `json:"counted"`
}

// PruneLine says whether a backup stays.
type PruneLine struct {
	BackupInfo
	Why string `json:"why"`
}

// PruneResult is what is kept and what goes.
type PruneResult struct {
	Store string      `json:"store"`
	Goes  []PruneLine `json:"goes"`
	Stays []PruneLine `json:"stays"`
	// Freed is how many bytes the backups that go take.
	Freed int64 `json:"freed"`
	// Removed are the ids of those that were removed.
	Removed []string `json:"removed"`
}
