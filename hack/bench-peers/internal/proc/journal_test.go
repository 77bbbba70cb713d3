package proc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckJournal(t *testing.T) {
	t.Parallel()
	head := func(mode string) string {
		return "SQLite format 3\x00\x10\x00" + mode + mode + strings.Repeat("\x00", 80)
	}
	cases := map[string]struct {
		reason, file string
		want         Journal
		err          string
	}{
		"Rollback": {"as a server is shipped", head("\x01"), RollbackJournal, ""},
		"WAL":      {"as it was told", head("\x02"), WriteAheadLog, ""},
		"NotTaken": {"a setting without effect is noticed", head("\x01"), WriteAheadLog, "did not take its settings"},
		"NotYet":   {"an empty file is no database", "", RollbackJournal, "EOF"},
		"Other":    {"another file is none either", strings.Repeat("\x01", 100), RollbackJournal, "not an SQLite database"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "db")
			if err := os.WriteFile(path, []byte(tc.file), 0o600); err != nil {
				t.Fatal(err)
			}
			err := CheckJournal(path, tc.want)
			if (err == nil) != (tc.err == "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("%s: error %v, want %q", tc.reason, err, tc.err)
			}
		})
	}
}
