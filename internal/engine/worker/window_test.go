package worker

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/plan"
)

func weekly(zone, start, length, onClose string, days ...string) plan.Window {
	d, err := time.ParseDuration(length)
	if err != nil {
		panic(err)
	}
	return plan.Window{Zone: zone, Start: start, Duration: plan.Duration(d), OnClose: onClose, Days: days}
}

func once(zone, date, start, length string) plan.Window {
	w := weekly(zone, start, length, "pause")
	w.Date = date
	return w
}

func TestAskWindows(t *testing.T) {
	t.Parallel()
	all := []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
	night := weekly("Europe/Paris", "22:00", "4h", "pause", "Sat")
	cases := map[string]struct {
		reason  string
		windows []plan.Window
		now     string
		want    string
	}{
		// 2026-11-28 is a Saturday; Paris is at +01:00 then.
		"Before":        {"It opens at the next Saturday.", []plan.Window{night}, "2026-11-25T12:00:00Z", "opens 2026-11-28T21:00:00Z"},
		"JustBefore":    {"Not a second too early.", []plan.Window{night}, "2026-11-28T20:59:59Z", "opens 2026-11-28T21:00:00Z"},
		"AtStart":       {"The begin belongs to it.", []plan.Window{night}, "2026-11-28T21:00:00Z", "open until 2026-11-29T01:00:00Z pause"},
		"PastMidnight":  {"It began yesterday.", []plan.Window{night}, "2026-11-29T00:59:59Z", "open until 2026-11-29T01:00:00Z pause"},
		"AtEnd":         {"The end does not belong to it.", []plan.Window{night}, "2026-11-29T01:00:00Z", "opens 2026-12-05T21:00:00Z"},
		"ZoneOfNow":     {"The zone of the clock does not matter.", []plan.Window{night}, "2026-11-29T08:30:00+09:00", "open until 2026-11-29T01:00:00Z pause"},
		"EastOfDate":    {"It is Sunday in Auckland already.", []plan.Window{weekly("Pacific/Auckland", "00:30", "1h", "finish", "Sun")}, "2026-11-28T11:45:00Z", "open until 2026-11-28T12:30:00Z finish"},
		"WestOfDate":    {"It is still Friday in Honolulu.", []plan.Window{weekly("Pacific/Honolulu", "23:00", "1h", "abort", "Fri")}, "2026-11-28T09:30:00Z", "open until 2026-11-28T10:00:00Z abort"},
		"Week":          {"A window may stay open for seven days.", []plan.Window{weekly("UTC", "00:00", "168h", "pause", "Mon")}, "2026-11-29T23:59:59Z", "open without end pause"},
		"WeekAgo":       {"It began six days ago.", []plan.Window{weekly("UTC", "10:00", "160h", "pause", "Mon")}, "2026-11-29T23:59:59Z", "open until 2026-11-30T02:00:00Z pause"},
		"EveryDay":      {"Days that adjoin are one window.", []plan.Window{weekly("UTC", "00:00", "24h", "pause", all...)}, "2026-11-28T12:00:00Z", "open without end pause"},
		"EveryDayParis": {"On a day of 25 hours the last one is outside.", []plan.Window{weekly("Europe/Paris", "00:00", "24h", "pause", all...)}, "2026-10-01T12:00:00Z", "open until 2026-10-25T22:00:00Z pause"},

		"Overlap": {"Windows that overlap close as the one that ends last.", []plan.Window{
			weekly("UTC", "20:00", "4h", "pause", "Sat"), weekly("UTC", "23:00", "3h", "abort", "Sat"),
		}, "2026-11-28T21:00:00Z", "open until 2026-11-29T02:00:00Z abort"},
		"Adjoin": {"Windows that adjoin are one.", []plan.Window{
			weekly("UTC", "02:00", "2h", "finish", "Sun"), weekly("UTC", "22:00", "4h", "pause", "Sat"),
		}, "2026-11-28T23:00:00Z", "open until 2026-11-29T04:00:00Z finish"},
		"Inside": {"One within another ends nothing.", []plan.Window{
			weekly("UTC", "23:00", "1h", "abort", "Sat"), weekly("UTC", "20:00", "8h", "pause", "Sat"),
		}, "2026-11-28T23:30:00Z", "open until 2026-11-29T04:00:00Z pause"},
		"Gap": {"A gap of a minute is one.", []plan.Window{
			weekly("UTC", "20:00", "1h", "pause", "Sat"), weekly("UTC", "21:01", "1h", "pause", "Sat"),
		}, "2026-11-28T20:30:00Z", "open until 2026-11-28T21:00:00Z pause"},
		"Zones": {"Overlapping in another zone.", []plan.Window{
			weekly("America/New_York", "18:00", "3h", "finish", "Sat"), weekly("Europe/Paris", "23:30", "1h", "pause", "Sat"),
		}, "2026-11-28T22:45:00Z", "open until 2026-11-29T02:00:00Z finish"},
		"Bridge": {"One that begins tomorrow leads over to one that begins today, elsewhere.", []plan.Window{
			weekly("UTC", "22:00", "3h", "pause", "Sat"), weekly("UTC", "00:30", "22h", "pause", "Sun"), weekly("Europe/Paris", "23:00", "2h", "finish", "Sun"),
		}, "2026-11-28T23:00:00Z", "open until 2026-11-30T00:00:00Z finish"},
		"ManyLater": {"Of several that come the first counts.", []plan.Window{
			weekly("UTC", "20:00", "1h", "pause", "Fri"), weekly("UTC", "20:00", "1h", "pause", "Mon"), weekly("UTC", "10:00", "1h", "pause", "Mon"),
		}, "2026-11-28T20:30:00Z", "opens 2026-11-30T10:00:00Z"},

		// Paris skips 02:00 to 03:00 on 2026-03-29 and repeats it on 2026-10-25.
		"SkippedStart":  {"02:30 does not exist: it opens when the clock has passed it.", []plan.Window{weekly("Europe/Paris", "02:30", "1h", "pause", "Sun")}, "2026-03-28T12:00:00Z", "opens 2026-03-29T01:00:00Z"},
		"SkippedOpen":   {"It lasts as long as ever.", []plan.Window{weekly("Europe/Paris", "02:30", "1h", "pause", "Sun")}, "2026-03-29T01:59:59Z", "open until 2026-03-29T02:00:00Z pause"},
		"SkippedEdge":   {"02:00 is skipped, and 03:00 is the same moment.", []plan.Window{weekly("Europe/Paris", "02:00", "1h", "pause", "Sun")}, "2026-03-29T00:59:59Z", "opens 2026-03-29T01:00:00Z"},
		"RepeatedStart": {"Of two 02:30 the first counts.", []plan.Window{weekly("Europe/Paris", "02:30", "1h", "pause", "Sun")}, "2026-10-24T12:00:00Z", "opens 2026-10-25T00:30:00Z"},
		"RepeatedOpen":  {"And it does not open twice.", []plan.Window{weekly("Europe/Paris", "02:30", "1h", "pause", "Sun")}, "2026-10-25T01:30:00Z", "opens 2026-11-01T01:30:00Z"},
		"AcrossSpring":  {"Four hours are four hours: until 03:00 + 1.", []plan.Window{night}, "2026-03-28T22:00:00Z", "open until 2026-03-29T01:00:00Z pause"},
		"AcrossAutumn":  {"The night of 25 hours.", []plan.Window{weekly("Europe/Paris", "23:00", "4h", "pause", "Sat")}, "2026-10-25T00:45:00Z", "open until 2026-10-25T01:00:00Z pause"},
		"HalfHourShift": {"Lord Howe moves its clocks by 30 minutes.", []plan.Window{weekly("Australia/Lord_Howe", "02:15", "1h", "pause", "Sun")}, "2026-10-03T00:00:00Z", "opens 2026-10-03T15:30:00Z"},
		"SkippedDay":    {"Samoa had no 2011-12-30.", []plan.Window{once("Pacific/Apia", "2011-12-30", "12:00", "1h")}, "2011-12-29T00:00:00Z", "opens 2011-12-30T10:00:00Z"},
		"SkippedNight":  {"Midnight does not exist in Beirut on 2026-03-29.", []plan.Window{weekly("Asia/Beirut", "00:00", "1h", "pause", "Sun")}, "2026-03-28T21:00:00Z", "opens 2026-03-28T22:00:00Z"},

		"Date":       {"A date opens once.", []plan.Window{once("Europe/Paris", "2026-11-28", "22:00", "4h")}, "2026-11-28T22:00:00Z", "open until 2026-11-29T01:00:00Z pause"},
		"FarDate":    {"A date may be years away.", []plan.Window{once("UTC", "2031-01-01", "22:00", "4h")}, "2026-11-28T22:00:00Z", "opens 2031-01-01T22:00:00Z"},
		"PastDate":   {"A date that is over never opens.", []plan.Window{once("UTC", "2026-11-01", "22:00", "4h"), once("UTC", "2025-11-01", "22:00", "4h")}, "2026-11-28T22:00:00Z", "never the windows of the stage (2026-11-01, 2025-11-01) are over and none opens again: give the platform file a window to come, and replan"},
		"DateBefore": {"A date and a weekly window.", []plan.Window{once("UTC", "2026-11-28", "22:00", "4h"), weekly("UTC", "10:00", "1h", "pause", "Mon")}, "2026-11-29T02:00:00Z", "opens 2026-11-30T10:00:00Z"},

		"NoZone":  {"A zone that this machine does not have.", []plan.Window{weekly("Mars/Olympus", "10:00", "1h", "pause", "Mon")}, "2026-11-29T02:00:00Z", `never the time zone "Mars/Olympus" of a window is not known here: install the time zones of the system`},
		"NoTime":  {"A plan from elsewhere.", []plan.Window{weekly("UTC", "noon", "1h", "pause", "Mon")}, "2026-11-29T02:00:00Z", `never the plan has a window that starts at "noon", which is no time of the day: plan again`},
		"NoDay":   {"A plan from elsewhere.", []plan.Window{weekly("UTC", "10:00", "1h", "pause")}, "2026-11-29T02:00:00Z", `never the plan has a window without days and date: plan again`},
		"BadDay":  {"A plan from elsewhere.", []plan.Window{weekly("UTC", "10:00", "1h", "pause", "Lundi")}, "2026-11-29T02:00:00Z", `never the plan has a window on "Lundi", which is no day of the week: plan again`},
		"BadDate": {"A plan from elsewhere.", []plan.Window{once("UTC", "28.11.2026", "22:00", "4h")}, "2026-11-29T02:00:00Z", `never the plan has a window on "28.11.2026", which is no date: plan again`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now, err := time.Parse(time.RFC3339, tc.now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, openingText(askWindows(tc.windows, now))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func openingText(o opening) string {
	switch {
	case o.never != "":
		return "never " + o.never
	case !o.open:
		return "opens " + o.opensAt.UTC().Format(time.RFC3339)
	case o.closesAt.IsZero():
		return "open without end " + o.onClose
	}
	return strings.Join([]string{"open until", o.closesAt.UTC().Format(time.RFC3339), o.onClose}, " ")
}

// TestWindowsAgreeWithTheClock compares each answer with a look at every hour
// of a year with both changes of the clock.
func TestWindowsAgreeWithTheClock(t *testing.T) {
	t.Parallel()
	windows := []plan.Window{
		weekly("Europe/Paris", "22:00", "6h", "pause", "Sat"), weekly("Europe/Paris", "03:30", "2h", "pause", "Sun", "Wed"),
		once("America/New_York", "2026-11-01", "01:30", "3h"),
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var expected opening
	for range 365 * 24 {
		o := askWindows(windows, now)
		if expected.open && now.Before(expected.closesAt) && (!o.open || !o.closesAt.Equal(expected.closesAt)) {
			t.Fatalf("at %s it is %s, before it was %s", now, openingText(o), openingText(expected))
		}
		if !expected.opensAt.IsZero() && (now.Before(expected.opensAt) == o.open) {
			t.Fatalf("at %s it is %s, before it was %s", now, openingText(o), openingText(expected))
		}
		expected = o
		now = now.Add(time.Hour)
	}
}
