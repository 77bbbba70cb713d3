package service

import (
	"fmt"

	"github.com/refitproject/refit/internal/disk"
	"github.com/refitproject/refit/internal/plan"
)

// roomNeed is how much room something needs, and why.
type roomNeed struct {
	// least is below what it fails, enough from where on it is well.
	least, enough int64
	why           string
	// whose is whose disk it is: "the state folder".
	whose string
}

// stateNeed is what the state folder needs. A run of 1,000 steps of exec.command was
// measured to take 1.9 MB with its plan; its log of writing takes as much for a while,
// logs of programs and large outputs are beside it, and no event may be lost because
// there is no room for it.
func stateNeed() roomNeed {
	const least, enough = 64 << 20, 1 << 30
	return roomNeed{
		least: least, enough: enough, whose: "the state folder",
		why: "a run takes some 2 KiB a step, and the logs of its programs",
	}
}

// leastFiles is how many files a disk must have left.
const leastFiles = 1000

// room compares the room at a place with what is needed there.
func (d *examination) room(name, place string, n roomNeed) {
	room, err := disk.RoomAt(place)
	if err != nil {
		d.foundf(name, plan.Warn, "RoomUnknown", "", "%v", err)
		return
	}
	text := fmt.Sprintf("the disk of %s has %s free", n.whose, size(room.Free))
	switch {
	case room.ReadOnly:
		d.foundf(name, plan.Fail, "DiskReadOnly", "mount it for writing, or name another place",
			"the disk of %s is mounted for reading only", n.whose)
	case room.Free < n.least:
		d.foundf(name, plan.Fail, "DiskFull", "make room there",
			"%s, at least %s are needed: %s", text, size(n.least), n.why)
	case room.TotalFiles > 0 && room.FreeFiles < leastFiles:
		d.foundf(name, plan.Fail, "DiskFull", "remove files there",
			"the disk of %s has room for %d files more, at least %d are needed", n.whose, room.FreeFiles, leastFiles)
	case room.Free < n.enough:
		d.foundf(name, plan.Warn, "DiskNearlyFull", "make room there",
			"%s, %s would be well: %s", text, size(n.enough), n.why)
	default:
		d.foundf(name, plan.Pass, "RoomGood", "", "%s", text)
	}
}

// size writes a number of bytes for people.
func size(n int64) string {
	const unit = 1024
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	value, at := float64(n), 0
	for value >= unit && at < len(units)-1 {
		value /= unit
		at++
	}
	if at == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[at])
}
