package backup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// Policy says which backups are kept. The last good backup of each series stays
// whatever it says.
type Policy struct {
	// Last is how many good backups of each series are kept.
	Last int
	// Within keeps what is younger than that, counted from the newest good
	// backup of the series and not from now: a clock that was set, and a
	// platform that made no backups for a year, delete nothing.
	Within time.Duration
	// Held says why a backup must stay, such as a run that may need it; ""
	// when nothing holds it. It may be nil.
	Held func(*Manifest) string
}

// Verdict says whether a backup stays.
type Verdict struct {
	Entry Entry
	Keep  bool
	// Why says it in a few words.
	Why string
}

const (
	// clockSlack is how far the clocks of a writer and of the store may drift
	// apart between two backups.
	clockSlack = 24 * time.Hour
	// unfinishedFor is how long a backup without a manifest is left alone,
	// counted to the newest object in the store.
	unfinishedFor = 7 * 24 * time.Hour
)

// Judge says of each backup of a store whether it stays. It looks at no clock.
func Judge(entries []Entry, p Policy) []Verdict {
	series := map[string][]Entry{}
	var order []string
	var newest time.Time
	for _, e := range entries {
		if e.Stored.After(newest) {
			newest = e.Stored
		}
		if e.Manifest == nil {
			continue
		}
		name := e.Manifest.Series()
		if series[name] == nil {
			order = append(order, name)
		}
		series[name] = append(series[name], e)
	}
	verdicts := make([]Verdict, 0, len(entries))
	for _, name := range order {
		verdicts = append(verdicts, judgeSeries(series[name], p)...)
	}
	for _, e := range entries {
		if e.Manifest == nil {
			verdicts = append(verdicts, judgeUnfinished(e, newest))
		}
	}
	return verdicts
}

func judgeUnfinished(e Entry, newest time.Time) Verdict {
	switch {
	case e.Problem != nil:
		return Verdict{e, true, "its manifest is damaged: look at it, and remove it by hand"}
	case newest.Sub(e.Stored) <= unfinishedFor:
		return Verdict{e, true, "is being written, or was given up a short while ago"}
	default:
		return Verdict{e, false, "was never finished"}
	}
}

// judgeSeries says which backups of one series stay.
func judgeSeries(all []Entry, p Policy) []Verdict {
	slices.SortStableFunc(all, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(b.Manifest.Sequence, a.Manifest.Sequence),
			b.Manifest.Began.Compare(a.Manifest.Began), cmp.Compare(a.ID, b.ID))
	})
	last, best := lastGood(all), bestProved(all)
	good := 0
	verdicts := make([]Verdict, len(all))
	for i, e := range all {
		if e.Good() {
			good++
		}
		v := Verdict{Entry: e, Keep: true}
		held := ""
		if p.Held != nil {
			held = p.Held(e.Manifest)
		}
		switch {
		case last < 0:
			v.Why = "there is no good backup of this series"
		case i == last:
			v.Why = "is the last good backup"
		case i == best:
			v.Why = "is the last that was proved best"
		case held != "":
			v.Why = held
		case i < last:
			v.Why = "is newer than the last good backup"
		case e.Problem != nil:
			v.Why = "is damaged: look at it, and remove it by hand"
		case good <= p.Last:
			v.Why = fmt.Sprintf("is one of the last %d", p.Last)
		default:
			v.Keep, v.Why = judgeAge(all[last], e, p)
		}
		verdicts[i] = v
	}
	return verdicts
}

// lastGood returns the newest backup that is whole and proved; when none is
// proved the newest that is whole, and -1 without any.
func lastGood(all []Entry) int {
	proved := slices.IndexFunc(all, func(e Entry) bool {
		_, ok := e.Proof()
		return e.Good() && ok
	})
	if proved >= 0 {
		return proved
	}
	return slices.IndexFunc(all, func(e Entry) bool { return e.Good() })
}

// bestProved returns the newest of those that are proved at the highest level,
// -1 without any.
func bestProved(all []Entry) int {
	best, level := -1, 0
	for i, e := range all {
		if p, ok := e.Proof(); ok && e.Good() && p.Level > level {
			best, level = i, p.Level
		}
	}
	return best
}

// judgeAge compares a backup with the last good one by two clocks: that of who
// wrote them and that of the store. Only when both say that it is too old, and
// agree, it goes.
func judgeAge(newest, e Entry, p Policy) (keep bool, why string) {
	written := newest.Manifest.Began.Sub(e.Manifest.Began)
	stored := newest.Written.Sub(e.Written)
	age := min(written, stored)
	switch {
	case p.Within > 0 && age <= p.Within:
		return true, "is younger than the time to keep"
	case age < 0, p.Within > 0 && (written-stored).Abs() > clockSlack:
		return true, "has times that contradict each other"
	default:
		return false, "is older than what is to be kept"
	}
}

// Prune removes what the verdicts let go and calls removed after each; removed may
// be nil. A backup of which the store has more
// now than when it was judged is left alone.
func Prune(ctx context.Context, s Store, verdicts []Verdict, removed func(Verdict)) error {
	for _, v := range verdicts {
		if v.Keep {
			continue
		}
		now, err := s.List(ctx, v.Entry.ID+"/")
		if err != nil {
			return err
		}
		if len(now) != v.Entry.Objects {
			continue // somebody writes to it, or removes it too
		}
		if err := remove(ctx, s, v.Entry.ID, now); err != nil {
			return err
		}
		if removed != nil {
			removed(v)
		}
	}
	return nil
}

// remove removes a backup: the manifest first, so that half of it is never taken
// for a backup.
func remove(ctx context.Context, s Store, id string, objects []Object) error {
	if err := s.Remove(ctx, manifestName(id)); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readsAtOnce)
	for _, o := range objects {
		g.Go(func() error { return s.Remove(ctx, o.Name) })
	}
	return g.Wait()
}
