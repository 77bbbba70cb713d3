package database

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// grant is one line of SHOW GRANTS: which rights, on what.
type grant struct {
	rights []string
	on     string
}

var (
	grantLine = regexp.MustCompile("^GRANT (.+?) ON (\\S+?\\.\\S+|(?:`[^`]*`|\\*)\\.(?:`[^`]*`|\\*)) TO ")
	grantList = regexp.MustCompile(`\([^)]*\)`)
)

// rights returns what the user may not do, judged by all that is granted to the user
// and to the roles that are on.
func (m *mysqlServer) rights(ctx context.Context, purposes []string) ([]Missing, error) {
	doing := "look at the rights of user " + m.at.User
	if _, err := m.look(ctx); err != nil {
		return nil, err
	}
	lines, err := column(ctx, m.db, "SHOW GRANTS")
	if err != nil {
		return nil, m.failed(doing, err)
	}
	var account string
	if err := m.db.QueryRowContext(ctx, "SELECT current_user()").Scan(&account); err != nil {
		return nil, m.failed(doing, err)
	}
	at := strings.LastIndexByte(account, '@')
	account = name(account[:max(at, 0)]) + "@" + name(account[at+1:])
	grants := readGrants(lines)
	// Names of databases in grants are patterns, in which an underscore is any sign.
	const scratch = "`refit\\_%`.*"
	live := name(escapePattern(m.at.Name)) + ".*"
	all := []string{
		"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES",
		"LOCK TABLES", "TRIGGER",
	}
	var missing []Missing
	for _, purpose := range purposes {
		need := map[string][]string{}
		switch purpose {
		case toMigrate:
			need[live] = []string{
				"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "INDEX", "REFERENCES",
			}
		case toBackup:
			need[live], need[scratch] = []string{"SELECT", "LOCK TABLES", "TRIGGER"}, all
		case toRestore:
			need[live], need[scratch] = []string{"SELECT", "INSERT", "CREATE", "ALTER", "DROP"}, all
			need["*.*"] = []string{"PROCESS"}
		}
		for _, on := range []string{live, scratch, "*.*"} {
			lacks := slices.DeleteFunc(slices.Clone(need[on]), func(right string) bool {
				return granted(grants, right, on)
			})
			for _, right := range lacks {
				missing = append(missing, Missing{
					Privilege: right, On: on, For: purpose,
					Grant: fmt.Sprintf("GRANT %s ON %s TO %s", strings.Join(lacks, ", "), on, account),
				})
			}
		}
	}
	return missing, nil
}

// readGrants reads what SHOW GRANTS answers. Rights on single columns do not count.
func readGrants(lines []string) []grant {
	var grants []grant
	for _, line := range lines {
		m := grantLine.FindStringSubmatch(line)
		if m == nil {
			continue // a role that is granted: its own lines are there too
		}
		var rights []string
		columns := grantList.FindAllString(m[1], -1)
		for right := range strings.SplitSeq(grantList.ReplaceAllString(m[1], "\x00"), ",") {
			right = strings.TrimSpace(right)
			if len(columns) > 0 && strings.Contains(right, "\x00") {
				continue
			}
			rights = append(rights, strings.ToUpper(strings.TrimSuffix(right, " PRIVILEGES")))
		}
		grants = append(grants, grant{rights: rights, on: m[2]})
	}
	return grants
}

func escapePattern(database string) string {
	return strings.NewReplacer(`\`, `\\`, `_`, `\_`, `%`, `\%`).Replace(database)
}

// granted tells whether a right is granted on all of what on names.
func granted(grants []grant, right, on string) bool {
	return slices.ContainsFunc(grants, func(g grant) bool {
		return (slices.Contains(g.rights, right) || slices.Contains(g.rights, "ALL")) && covers(g.on, on)
	})
}

// covers tells whether a grant on one thing is one on another. Both are patterns.
func covers(granted, on string) bool {
	if granted == "*.*" {
		return true
	}
	if on == "*.*" {
		return false
	}
	database, ok := strings.CutSuffix(granted, ".*")
	if !ok {
		return false
	}
	wanted := strings.TrimSuffix(on, ".*")
	unquote := func(s string) string { return strings.ReplaceAll(strings.Trim(s, "`"), "``", "`") }
	return matches(unquote(database), unquote(wanted))
}

// matches tells whether a pattern of SQL holds every name that another one holds; as
// far as the other has wildcards, they are taken as letters that only a wildcard fits.
func matches(pattern, other string) bool {
	var b strings.Builder
	b.WriteString("(?s)^")
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(regexp.QuoteMeta(`\` + pattern[i:i+1]))
		case c == '%':
			b.WriteString(".*")
		case c == '_':
			b.WriteString(`(\\[_%\\]|[^\\%])`)
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return regexp.MustCompile(b.String() + "$").MatchString(other)
}
