package proc

import (
	"fmt"
	"io"
	"os"
)

// Journal is how an SQLite database is written, as byte 18 of its file says.
type Journal byte

// What that byte can be.
const (
	RollbackJournal Journal = 1
	WriteAheadLog   Journal = 2
)

// CheckJournal fails if a database is not written in the way that is wanted.
// Without it, a setting that a server does not take would go unnoticed.
func CheckJournal(database string, want Journal) error {
	f, err := os.Open(database)
	if err != nil {
		return fmt.Errorf("read how the database is written: %w", err)
	}
	defer f.Close()
	head := make([]byte, 19)
	if _, err := io.ReadFull(f, head); err != nil {
		return fmt.Errorf("read how %s is written: %w", database, err)
	}
	if string(head[:15]) != "SQLite format 3" {
		return fmt.Errorf("read how %s is written: it is not an SQLite database", database)
	}
	if got := Journal(head[18]); got != want {
		return fmt.Errorf("%s is written in mode %d, want %d: the server did not take its settings",
			database, got, want)
	}
	return nil
}
