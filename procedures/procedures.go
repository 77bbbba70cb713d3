package procedures

import (
	"embed"
	"io/fs"
)

// The pattern must match something while no procedure is shipped, so it takes
// everything; package service looks for folders with a procedure.yaml.
//
//go:embed *
var shipped embed.FS

// FS returns the shipped procedures. It is read-only and safe for concurrent
// use.
func FS() fs.FS { return shipped }
