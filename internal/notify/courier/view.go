package courier

import (
	"maps"
	"slices"

	"github.com/refitproject/refit/internal/report"
)

// Views lists the channels of a record that have something left to tell, or
// could not be reached.
func Views(j *Told) []report.ChannelView {
	if j == nil {
		return nil
	}
	var list []report.ChannelView
	for _, name := range slices.Sorted(maps.Keys(j.Channels)) {
		c := j.Channels[name]
		if c.Waiting == 0 && c.Trouble == "" {
			continue
		}
		list = append(list, report.ChannelView{
			Name: name, Waiting: c.Waiting, Trouble: c.Trouble, Since: c.Since, Tried: c.Tried,
		})
	}
	return list
}
