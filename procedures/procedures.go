package procedures

import (
	"embed"
	"io/fs"
)

// What procedures are made of; their pages and what tests compare with stay outside.
//
//go:embed */*.yaml
var shipped embed.FS

// FS returns the shipped procedures. It is read-only and safe for concurrent
// use.
func FS() fs.FS { return shipped }
