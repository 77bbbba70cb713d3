package sheet

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Column is everything that was measured of one contender. What is zero was not
// measured, or does not exist there, and is shown as a dash.
type Column struct {
	Name string
	// Load is the load of the machine just before, and Disk how often a second
	// the disk took 4 KiB and synced them then.
	Load, Disk float64
	// Chain is one chain, Parallel are many at the same time.
	Chain, Parallel Rate
	// LocalChain and LocalParallel are the same with local activities.
	LocalChain, LocalParallel Rate
	// Syncs is how often it made the disk sync, per step of one chain.
	Syncs float64
	// ServerBytes and WorkerBytes are the most memory that the processes held.
	// A contender that is one process has it under WorkerBytes.
	ServerBytes, WorkerBytes int64
}

// Write renders the table.
func Write(w io.Writer, columns []Column, chains int) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	head := []string{"WHAT"}
	for _, c := range columns {
		head = append(head, strings.ToUpper(c.Name))
	}
	fmt.Fprintln(tw, strings.Join(append(head, "UNIT"), "\t"))
	for _, r := range rows(chains) {
		cells := []string{r.what}
		for _, c := range columns {
			cells = append(cells, r.cell(c))
		}
		fmt.Fprintln(tw, strings.Join(append(cells, r.unit), "\t"))
	}
	return tw.Flush()
}

type row struct {
	what, unit string
	cell       func(Column) string
}

func rows(chains int) []row {
	many := fmt.Sprintf("%d chains at once", chains)
	all := []row{
		{"load of the machine before", "", func(c Column) string { return number(c.Load, 1) }},
		{"disk alone, 4 KiB and a sync", "per s", func(c Column) string { return rate(c.Disk) }},
	}
	all = append(all, rateRows("one chain", func(c Column) Rate { return c.Chain })...)
	all = append(all, rateRows(many, func(c Column) Rate { return c.Parallel })...)
	all = append(all, rateRows("one chain, local activities", func(c Column) Rate { return c.LocalChain })...)
	all = append(all, rateRows(many+", local activities", func(c Column) Rate { return c.LocalParallel })...)
	return append(
		all,
		row{"one chain: syncs of the disk", "per step", func(c Column) string { return number(c.Syncs, 2) }},
		row{"most memory, server", "MB", func(c Column) string { return megabytes(c.ServerBytes) }},
		row{"most memory, worker or program", "MB", func(c Column) string { return megabytes(c.WorkerBytes) }},
		row{"most memory, together", "MB", func(c Column) string { return megabytes(c.ServerBytes + c.WorkerBytes) }},
	)
}

func rateRows(what string, of func(Column) Rate) []row {
	return []row{
		{what, "steps/s", func(c Column) string { return rate(of(c).PerSecond) }},
		{what + ": a step, p50", "ms", func(c Column) string { return millis(of(c).P50) }},
		{what + ": a step, p95", "ms", func(c Column) string { return millis(of(c).P95) }},
	}
}

// rate drops the decimal where it would be noise.
func rate(v float64) string {
	if v >= 100 {
		return number(v, 0)
	}
	return number(v, 1)
}

func millis(d time.Duration) string { return number(float64(d)/float64(time.Millisecond), 2) }

func megabytes(b int64) string { return number(float64(b)/1e6, 0) }

func number(v float64, digits int) string {
	if v == 0 {
		return "-"
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
