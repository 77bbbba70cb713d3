package platform

import (
	"time"

	"github.com/refitproject/refit/internal/diag"
)

// maxWindow is how long a window may stay open.
const maxWindow = 7 * 24 * time.Hour

// window checks one maintenance window, except that its zone exists.
func (c checker) window(w *Window) {
	switch {
	case len(w.Days) > 0 && w.Date.IsSet():
		c.ds.Errorf("DaysAndDate", w.Date.Pos, "the window has days and date").
			Suggest("keep days for a weekly window, or date for one that opens once")
	case len(w.Days) == 0 && !w.Date.IsSet():
		c.ds.Errorf("NoDay", w.Pos, "the window has neither days nor date").
			Suggest("write days: [Sat, Sun], or date: \"2026-11-28\"")
	}
	seen := map[string]bool{}
	for _, day := range w.Days {
		if seen[day.Value] {
			c.ds.Errorf("Duplicate", day.Pos, "days name %q twice", day.Value).Suggest("remove one of them")
		}
		seen[day.Value] = true
	}
	c.date(w.Date, "date")
	if start := w.Start; start.IsSet() {
		if _, err := time.Parse("15:04", start.Value); err != nil || len(start.Value) != len("15:04") {
			c.ds.Errorf("BadTime", start.Pos, "start %q is not a time of the day", start.Value).
				Suggest("write hours and minutes, such as \"22:00\"")
		}
	}
	if w.Duration.IsSet() && w.Duration.Value > maxWindow {
		c.ds.Errorf("OutOfRange", w.Duration.Pos, "the window stays open for %s", w.Duration.Value).
			Suggest("use at most 7d")
	}
	if zone := w.Zone; zone.IsSet() && (zone.Value == "" || zone.Value == "Local") {
		c.ds.Errorf("BadZone", zone.Pos, "zone %q is not the same on every machine", zone.Value).Suggest("%s", zoneRule)
	}
}

const zoneRule = "write an IANA name such as Europe/Paris, or UTC"

// CheckZones checks with load, which is time.LoadLocation as a rule, that the
// time zones of all windows exist.
func (p *Platform) CheckZones(load func(name string) error) diag.Diagnostics {
	var ds diag.Diagnostics
	for i := range p.Windows {
		zone := p.Windows[i].Zone
		if err := load(zone.Value); err != nil {
			ds.Errorf("BadZone", zone.Pos, "time zone %q does not exist", zone.Value).Suggest(zoneRule)
		}
	}
	return ds
}
