package platform

import (
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// Load reads a platform file; file is its name in positions. All mistakes of
// the file come back together, sorted. The Platform is nil when the file is not
// a platform document; with other errors it holds what could be read, so that
// Check can find the mistakes against the procedure too.
func Load(file string, data []byte) (*Platform, diag.Diagnostics) {
	root, ds := yamldoc.Parse(file, data, yamldoc.DefaultLimits())
	if ds.HasErrors() || root == nil {
		ds.Sort()
		return nil, ds
	}
	if !checkKind(file, root, &ds) {
		return nil, ds
	}
	p := &Platform{}
	yamldoc.Decode(root, p, &ds)
	c := checker{ds: &ds}
	c.head(p)
	c.targets(p)
	c.backup(p.Backup)
	for i := range p.Windows {
		c.window(&p.Windows[i])
	}
	c.accepted(p.Accept)
	c.notifications(p.Notifications)
	ds.Sort()
	return p, ds
}

// checkKind refuses documents of another kind before they are decoded, so that
// a procedure does not come back as a list of unknown keys.
func checkKind(file string, root *yamldoc.Node, ds *diag.Diagnostics) bool {
	if root.Kind != yamldoc.Mapping {
		ds.Errorf("WrongKind", root.Pos, "%q holds a %s, not a %s", file, root.Kind, Kind).
			Suggest("begin with apiVersion: %s and kind: %s", apiVersion, Kind)
		return false
	}
	n := root.Get("kind")
	if n == nil || !slices.Contains([]string{"Procedure", "SubProcedure", "Versions", "Plan", "Issues"}, text(n)) {
		return true
	}
	d := ds.Errorf("WrongKind", n.Pos, "%q is a %s, not a %s", file, text(n), Kind)
	if text(n) == "Procedure" {
		d.Suggest("write a platform file with procedure: %s and give that one", file)
	} else {
		d.Suggest("give the platform file")
	}
	return false
}

// text returns the text of a string node, "" for others.
func text(n *yamldoc.Node) string {
	if n == nil {
		return ""
	}
	s, _ := n.Value.(string)
	return s
}

// checker collects what is wrong with a platform file.
type checker struct {
	ds *diag.Diagnostics
}

// maxNameLen keeps names usable as labels in the systems that steps act on.
const maxNameLen = 63

func (c checker) head(p *Platform) {
	if v := p.APIVersion; v.IsSet() && v.Value != apiVersion {
		c.ds.Errorf("UnsupportedAPIVersion", v.Pos, "apiVersion %q is not known", v.Value).
			Suggest("write apiVersion: %s", apiVersion)
	}
	if n := p.Metadata.Name; n.IsSet() && !isName(n.Value) {
		c.ds.Errorf("BadName", n.Pos, "name %q is not permitted", n.Value).
			Suggest("use lower case letters, digits and dashes, beginning with a letter, at most %d", maxNameLen)
	}
	if n := p.Procedure; n.IsSet() && strings.TrimSpace(n.Value) == "" {
		c.ds.Errorf("EmptyValue", n.Pos, "procedure is empty").Suggest("write the name or the file of a procedure")
	}
	if p.Inputs != nil && p.Inputs.Kind != yamldoc.Mapping {
		c.ds.Errorf("WrongType", p.Inputs.Pos, "inputs must be a mapping, is a %s", p.Inputs.Kind).
			Suggest("write NAME: VALUE for each input")
	}
}

// isName tells whether s is made of lower case letters, digits and dashes.
func isName(s string) bool {
	return s != "" && len(s) <= maxNameLen && s[0] >= 'a' && s[0] <= 'z' && !strings.HasSuffix(s, "-") &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// targets checks that every entry says of which kind the target is.
func (c checker) targets(p *Platform) {
	for _, t := range p.Targets {
		if t.Value == nil {
			continue
		}
		if t.Value.Kind != yamldoc.Mapping {
			c.ds.Errorf("WrongType", t.Value.Pos, "target %q must be a mapping, is a %s", t.Name, t.Value.Kind).
				Suggest("write kind, and what the kind needs, such as {kind: kubernetes, context: NAME}")
			continue
		}
		kind := t.Value.Get(keyKind)
		switch {
		case kind == nil:
			c.ds.Errorf("MissingKey", t.Pos, "target %q needs the key %q", t.Name, keyKind).
				Suggest("write one of: %s", strings.Join(targetKinds(), ", "))
		case !slices.Contains(targetKinds(), text(kind)):
			c.ds.Errorf("UnknownValue", kind.Pos, "unknown kind %q of target %q", text(kind), t.Name).
				Suggest("%s", diag.DidYouMean(text(kind), targetKinds()))
		}
		if id := t.Value.Get(keyIdentity); id != nil && text(id) == "" {
			c.ds.Errorf("WrongType", id.Pos, "identity of target %q must be a string that is not empty", t.Name).
				Suggest("write what the plan printed as the identity, or remove the key")
		}
	}
}

// The keys of a target that mean the same for every kind.
const (
	keyKind     = "kind"
	keyIdentity = "identity"
)

// targetKinds are the kinds of target that a procedure can declare.
func targetKinds() []string {
	return []string{"database", "directory", "git", "host", "juju", "kubernetes", "s3", "vault"}
}

func (c checker) backup(b *Backup) {
	if b == nil || !b.Store.IsSet() {
		return
	}
	store := b.Store.Value
	bucket, isBucket := strings.CutPrefix(store, "s3://")
	switch {
	case strings.HasPrefix(store, "file:///") && len(store) > len("file:///"):
	case isBucket && bucket != "" && !strings.HasPrefix(bucket, "/"):
	default:
		c.ds.Errorf("BadStore", b.Store.Pos, "backup store %q is not an address that is known", store).
			Suggest("write file:///PATH or s3://BUCKET/PREFIX")
	}
}

// accepted checks acceptances: a real day, and each name once.
func (c checker) accepted(list []Accept) {
	seen := map[string]bool{}
	for i := range list {
		a := &list[i]
		for _, field := range []struct {
			key string
			yamldoc.Text
		}{{"name", a.Name}, {"reason", a.Reason}, {"by", a.By}} {
			if field.IsSet() && strings.TrimSpace(field.Value) == "" {
				c.ds.Errorf("EmptyValue", field.Pos, "%s of an acceptance is empty", field.key).
					Suggest("it is printed in the report: write it out")
			}
		}
		c.date(a.Expires, "expires")
		if a.Name.IsSet() && seen[a.Name.Value] {
			c.ds.Errorf("Duplicate", a.Name.Pos, "%q is accepted twice", a.Name.Value).Suggest("remove one of them")
		}
		seen[a.Name.Value] = true
	}
}

// date checks that t is a day of the calendar.
func (c checker) date(t yamldoc.Text, key string) {
	if !t.IsSet() {
		return
	}
	if _, err := time.Parse(time.DateOnly, t.Value); err != nil {
		c.ds.Errorf("BadDate", t.Pos, "%s %q is not a day of the calendar", key, t.Value).
			Suggest("write YEAR-MONTH-DAY, such as \"2026-11-28\"")
	}
}
