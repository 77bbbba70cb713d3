package backup

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Format is the version of the form of backups that this Refit writes. It reads
// this one and all before it.
const Format = 1

// Kind says what a backup holds.
type Kind string

// The kinds.
const (
	// Directory is a folder with everything below it, as tar.
	Directory Kind = "directory"
	// SQLite is one database file, as SQLite writes it.
	SQLite Kind = "sqlite"
	// Secret is one secret that was captured; always encrypted.
	Secret Kind = "secret"
	// PostgreSQL is one database in the custom format of pg_dump, not compressed.
	PostgreSQL Kind = "postgresql"
	// MySQL is one database of MySQL or MariaDB as statements.
	MySQL Kind = "mysql"
	// Namespace is what people made in one namespace of a Kubernetes cluster, as lines
	// of JSON: first what was selected, then one object a line.
	Namespace Kind = "namespace"
)

// Source says where a backup comes from.
type Source struct {
	// Host is the name of the machine on which it was read.
	Host string `json:"host,omitempty"`
	// Path is the absolute path of the folder or the file, or what a captured
	// secret was read from. A path that is not UTF-8 has its odd bytes as \xNN.
	Path string `json:"path"`
	// Excluded are the patterns of what was left out.
	Excluded []string `json:"excluded,omitempty"`
	// Identity tells a database or a cluster from another one at the same address, and
	// Server says which program in which version served it; both of these only.
	Identity string `json:"identity,omitempty"`
	Server   string `json:"server,omitempty"`
}

// Counts are what was counted while a backup was read or restored.
type Counts struct {
	Files   int64 `json:"files,omitempty"`
	Folders int64 `json:"folders,omitempty"`
	// Links are symbolic links, and further names of a file; Others are pipes.
	Links  int64 `json:"links,omitempty"`
	Others int64 `json:"others,omitempty"`
	// Bytes is the content of all files together.
	Bytes int64 `json:"bytes"`
	// Tables and Rows are those of a database.
	Tables int64 `json:"tables,omitempty"`
	Rows   int64 `json:"rows,omitempty"`
	// Objects are those of a namespace.
	Objects int64 `json:"objects,omitempty"`
	// Digest is the digest of the tables of a database: of the number of their
	// rows, and where a server computes them, of checksums of what is in them.
	Digest string `json:"digest,omitempty"`
}

// Part is one object of a backup.
type Part struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// Raw is how many bytes of the stream it holds.
	Raw int64 `json:"raw"`
}

// Tool names a program or library and its version.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Manifest says everything of a backup. It is written last: without it there is
// no backup.
type Manifest struct {
	Format int    `json:"format"`
	ID     string `json:"id"`
	// Name is how people call the series of backups.
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Key is the key of the effect that made it; see action.Env.
	Key    string `json:"key,omitempty"`
	Source Source `json:"source"`
	// Sequence counts the backups of a series. Clocks may be wrong, it is not.
	Sequence int64 `json:"sequence"`
	// Began is when reading the source began, Ended when all was written.
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
	// Recipients are the public halves of the keys that open it; empty when it
	// is not encrypted.
	Recipients []string `json:"recipients,omitempty"`
	// Keyed is the keyed hash of a captured secret and its id: only who has the
	// key can make one, so nobody else can put another value in its place.
	Keyed string `json:"keyed,omitempty"`
	// Level is the level of compression, as zstd counts.
	Level int `json:"level"`
	// Size is the length of the stream, Stored that of all parts.
	Size   int64  `json:"size"`
	Stored int64  `json:"stored"`
	Counts Counts `json:"counts"`
	Tools  []Tool `json:"tools"`
	Parts  []Part `json:"parts"`
	// Items are the objects of a namespace, in the order of the stream.
	Items []Item `json:"items,omitempty"`
}

// Series is what the backups of one source have in common.
func (m *Manifest) Series() string {
	return strings.Join([]string{m.Name, string(m.Kind), m.Source.Host, m.Source.Path}, "\x00")
}

// Encrypted tells whether a key is needed to restore it.
func (m *Manifest) Encrypted() bool { return len(m.Recipients) > 0 }

// check says what is wrong with a manifest whose bytes are as they were written.
func (m *Manifest) check(id string) error {
	if m.Format > Format {
		return failure(ReasonBackupTooNew, "use the Refit that wrote it, or a newer one", false,
			"backup %q: it has the form %d, this Refit reads up to %d", id, m.Format, Format)
	}
	if m.ID != id {
		return damaged(id, "its manifest is that of backup %q", m.ID)
	}
	if int64(len(m.Items)) != m.Counts.Objects {
		return damaged(id, "its manifest lists %d objects and counts %d", len(m.Items), m.Counts.Objects)
	}
	var raw, stored int64
	for i, p := range m.Parts {
		name, ok := parsePart(p.Name)
		if !ok || name.index != i+1 || name.sha256 != p.SHA256 || p.Size < 0 || p.Raw < 0 {
			return damaged(id, "its manifest names a part %q that cannot be", p.Name)
		}
		raw, stored = raw+p.Raw, stored+p.Size
	}
	if raw != m.Size || stored != m.Stored || len(m.Parts) == 0 {
		return damaged(id, "the parts that its manifest names are not those of its size")
	}
	return nil
}

// Proof is the outcome of one check of a backup.
type Proof struct {
	// Backup and Manifest name what was proved: its id and the digest of its
	// manifest.
	Backup   string `json:"backup"`
	Manifest string `json:"manifest"`
	// Level is 1 read back, 2 parsed, 3 restored and counted.
	Level int       `json:"level"`
	At    time.Time `json:"at"`
	Host  string    `json:"host,omitempty"`
	// Key and Origin name the effect that asked for it, as far as one did.
	Key    string `json:"key,omitempty"`
	Origin string `json:"origin,omitempty"`
	// Took is how long the check took, in milliseconds.
	Took   int64  `json:"tookMilliseconds"`
	Counts Counts `json:"counts"`
	Tools  []Tool `json:"tools"`
}

// The levels of proof.
const (
	ReadBack = 1
	Parsed   = 2
	Restored = 3
)

// idPattern admits ids: the name of a series, a dash and 16 hexadecimal digits.
var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,80}-[0-9a-f]{16}$`)

// seriesPattern admits names of series.
var seriesPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// ValidName tells whether name can be the name of a series of backups.
func ValidName(name string) bool { return seriesPattern.MatchString(name) }

// ID returns the id of the backup of a series that an effect makes: the same
// for every attempt. origin tells apart runs of the same name.
func ID(name, key, origin string) string {
	sum := sha256.Sum256([]byte(name + "\x00" + key + "\x00" + origin))
	return name + "-" + hex.EncodeToString(sum[:8])
}

// randomName returns a name that nobody else has.
func randomName() string { return strings.ToLower(rand.Text()) }

// The names of the objects of a backup.
func manifestName(id string) string { return id + "/manifest.jsonl" }

// proofName is the name of a proof whose bytes are data.
func proofName(id string, p Proof, data []byte) string {
	return fmt.Sprintf("%s/proof-%d-%d-%s.jsonl", id, p.Level, p.At.UnixNano(), digestOf(data)[:8])
}

// partName is what the name of a part says, below the folder of its backup.
type partName struct {
	index int
	// tag is the keyed digest of what was encrypted, empty without a key: it
	// lets a writer find again what it has stored already.
	tag, sha256 string
}

var partPattern = regexp.MustCompile(`^part-([0-9]{6,9})(?:\.([0-9a-f]{32}))?\.([0-9a-f]{64})\.zst(\.age)?$`)

func (n partName) String() string {
	if n.tag == "" {
		return fmt.Sprintf("part-%06d.%s.zst", n.index, n.sha256)
	}
	return fmt.Sprintf("part-%06d.%s.%s.zst.age", n.index, n.tag, n.sha256)
}

func parsePart(name string) (partName, bool) {
	m := partPattern.FindStringSubmatch(name)
	if m == nil || (m[2] != "") != (m[4] != "") {
		return partName{}, false
	}
	index, err := strconv.Atoi(m[1])
	n := partName{index: index, tag: m[2], sha256: m[3]}
	return n, err == nil && n.String() == name
}
