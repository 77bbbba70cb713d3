package report

import (
	"fmt"
	"io"
	"strings"
)

// Detected is what was found in a cluster.
type Detected struct {
	// Cluster is the context and the address of the server.
	Cluster string `json:"cluster"`
	// Looked are the charts whose releases were looked for.
	Looked    []string           `json:"looked"`
	Platforms []DetectedPlatform `json:"platforms"`
}

// DetectedPlatform is a platform that was found.
type DetectedPlatform struct {
	// Name is what its platform file calls it.
	Name       string          `json:"name"`
	Procedure  string          `json:"procedure"`
	Release    string          `json:"release"`
	Namespace  string          `json:"namespace"`
	Version    string          `json:"version"`
	AppVersion string          `json:"appVersion"`
	Status     string          `json:"status"`
	Inputs     []DetectedInput `json:"inputs"`
	// File is the platform file that was written; empty for none.
	File string `json:"file,omitempty"`
}

// DetectedInput is an input of the procedure.
type DetectedInput struct {
	Name string `json:"name"`
	// Value is null when it was not found; Open then says what to do.
	Value any    `json:"value"`
	Open  string `json:"open,omitempty"`
}

// DetectedText shows what was found, and what could not be found out. The error is
// that of w.
func DetectedText(w io.Writer, d *Detected, opts TextOptions) error {
	p := newPage(w, opts)
	if len(d.Platforms) == 0 {
		p.para(0, 0, plain("No platform was found in "+d.Cluster+"."))
		p.para(0, 0, in(Muted, "Looked for releases of the charts "+strings.Join(d.Looked, ", ")+
			". Write a platform file by hand with refit init."))
		return p.close()
	}
	for i := range d.Platforms {
		f := &d.Platforms[i]
		if i > 0 {
			p.blank()
		}
		p.para(0, 2, in(Heading, f.Procedure), plain(fmt.Sprintf(" %s: release %s in namespace %s, %s, of version %s",
			f.Version, f.Release, f.Namespace, f.Status, orDash(f.AppVersion))))
		known := table{indent: 2}
		for _, input := range f.Inputs {
			if input.Value != nil {
				known.add(cell(Muted, input.Name), cell(Text, fmt.Sprint(input.Value)))
			}
		}
		known.write(p)
		for _, input := range f.Inputs {
			if input.Value == nil {
				p.para(2, 4, in(Warn, input.Name+" is open: "), plain(input.Open))
			}
		}
		if f.File != "" {
			p.para(2, 4, plain("Written to "+f.File+". See what it still needs: refit lint "+f.File))
		}
	}
	return p.close()
}
