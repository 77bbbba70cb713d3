package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/schema"
)

// platform checks a platform file, its procedure, its targets, its secrets and its
// backup store, and returns the programs that it needs.
func (d *examination) platform(ctx context.Context, file string) need {
	l, err := d.s.loadPlatform(file)
	if err != nil {
		d.foundf("platform", plan.Fail, "PlatformBroken", "see refit lint "+file, "%s", firstProblem(err))
		return need{sure: true}
	}
	d.foundf("platform", plan.Pass, "PlatformGood", "", "%s and its procedure are right", file)
	w := d.s.newWorld(l.dir, l.targets)
	for _, t := range l.targets {
		name := "target/" + t.Name
		identity, err := w.Identify(ctx, t)
		if err != nil {
			d.foundf(name, plan.Fail, "TargetUnreachable", "", "%v", err)
			continue
		}
		d.foundf(name, plan.Pass, "TargetFound", "", "is %s", identity)
	}
	steps := needsOf(l.procedure, l.dir)
	d.secrets(ctx, l, steps)
	d.notes = append(d.notes, steps.notes...)
	if l.platform.Backup != nil {
		d.store(ctx, l)
	}
	return need{programs: steps.programs, sure: true, dir: l.dir}
}

// secrets checks that every secret that the platform and the steps of its procedure
// refer to can be read, and adds the programs that print some to what is needed. No
// value is kept or shown.
func (d *examination) secrets(ctx context.Context, l *loaded, steps *needs) {
	outcome := plan.Fail
	try := func(name string, ref map[string]any) {
		const patience = 30 * time.Second
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if _, err := d.s.secrets(l.dir, l.targets).Resolve(ctx, ref); err != nil {
			text, remedy := err.Error(), ""
			if failed, ok := errors.AsType[*action.Error](err); ok && failed.Err != nil {
				text, remedy = failed.Err.Error(), failed.Remedy
			}
			d.foundf("secret/"+name, outcome, "SecretUnreadable", remedy, "%s", text)
			return
		}
		d.foundf("secret/"+name, plan.Pass, "SecretFound", "", "can be read")
	}
	tryAll := func(name string, ref map[string]any) {
		try(name, ref)
		steps.secretProgram(name, ref)
	}
	for _, name := range l.procedure.Inputs.FieldNames() {
		eachSecret(name, l.procedure.Inputs.Fields[name].Type, l.inputs[name], tryAll)
	}
	for _, c := range plan.ChannelsOf(l.platform) {
		tryAll("notifications."+c.Name, c.Address)
	}
	for _, s := range steps.secrets {
		outcome = plan.Fail
		if !s.must { // An earlier step may make the file.
			outcome = plan.Warn
		}
		try(s.name, s.ref)
	}
}

// eachSecret calls do for every reference in a value of type t.
func eachSecret(name string, t schema.Type, value any, do func(name string, ref map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		if t.Kind == schema.Secret {
			do(name, v)
			return
		}
		for _, key := range t.FieldNames() {
			eachSecret(name+"."+key, t.Fields[key].Type, v[key], do)
		}
	case []any:
		for i, item := range v {
			eachSecret(fmt.Sprintf("%s.%d", name, i), t.ElemType(), item, do)
		}
	}
}

// store checks the backup store: that it can be read and written to, and that the
// next backups fit.
func (d *examination) store(ctx context.Context, l *loaded) {
	address := l.platform.Backup.Store.Value
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	store, err := d.s.o.Stores.Open(address, l.dir)
	if err == nil {
		err = d.tryStore(ctx, store)
	}
	if err != nil {
		text, remedy := err.Error(), "see whether the store is in order"
		if failed, ok := errors.AsType[*action.Error](err); ok && failed.Err != nil {
			text, remedy = failed.Err.Error(), cmp.Or(failed.Remedy, remedy)
		}
		d.foundf("backup-store", plan.Fail, "StoreUnusable", remedy, "%s", text)
		return
	}
	d.foundf("backup-store", plan.Pass, "StoreGood", "", "%s can be read and written to", store.Address())
	path, isFolder := strings.CutPrefix(address, "file://")
	if !isFolder {
		return
	}
	entries, err := backup.Catalog(ctx, store)
	if err != nil {
		d.foundf("backup-store/disk", plan.Warn, "RoomUnknown", "", "what the store has cannot be read: %v", err)
		return
	}
	d.room("backup-store/disk", path, storeNeed(entries))
	d.scratch(entries)
}

// tryStore reads the names in a store, and writes an object and removes it.
func (d *examination) tryStore(ctx context.Context, store backup.Store) error {
	if _, err := store.List(ctx, ""); err != nil {
		return err
	}
	name := fmt.Sprintf("refit-doctor-%d-%d", os.Getpid(), d.s.o.Now().UnixNano())
	const text = "written by refit doctor to see whether it can be; it may be removed\n"
	if err := store.Put(ctx, name, []byte(text)); err != nil {
		return err
	}
	return store.Remove(context.WithoutCancel(ctx), name)
}

// storeNeed is what the next round of backups takes: one of each series, as large as
// the newest. Twice that is well, for they grow, and the old one is kept until the new
// one is proved. Without any backups nobody knows.
func storeNeed(entries []backup.Entry) roomNeed {
	const unknown, enough = 64 << 20, 1 << 30
	round := int64(0)
	var seen []string
	for i := range entries {
		e := &entries[i]
		if !e.Good() || slices.Contains(seen, e.Manifest.Series()) {
			continue
		}
		seen = append(seen, e.Manifest.Series())
		round += e.Bytes
	}
	if len(seen) == 0 {
		return roomNeed{
			least: unknown, enough: enough, whose: "the backup store",
			why: "there is no backup yet that would tell how large they are",
		}
	}
	return roomNeed{
		least: round, enough: 2 * round, whose: "the backup store",
		why: fmt.Sprintf("the newest backups of all %d series take %s together", len(seen), size(round)),
	}
}

// scratch checks that the largest backup can be restored where proofs of level 3
// restore it, unless a step names another folder.
func (d *examination) scratch(entries []backup.Entry) {
	largest, name := int64(0), ""
	var seen []string
	for i := range entries {
		e := &entries[i]
		if !e.Good() || slices.Contains(seen, e.Manifest.Series()) {
			continue
		}
		seen = append(seen, e.Manifest.Series())
		if e.Manifest.Size > largest {
			largest, name = e.Manifest.Size, e.Manifest.Name
		}
	}
	if largest == 0 {
		return
	}
	dir := os.TempDir()
	d.room("scratch/disk", dir, roomNeed{
		least: largest, enough: largest + largest/4, whose: "the temporary folder " + dir,
		why: fmt.Sprintf("a proof by restoring %s takes %s there; TMPDIR, or scratch of the step, names another",
			name, size(largest)),
	})
}
