package platform

import (
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/yamldoc"
)

// Kind is the kind of document that this package reads.
const Kind = "Platform"

// Platform is one platform as its owner describes it.
type Platform struct {
	Pos           diag.Position                  `yaml:"-"`
	APIVersion    yamldoc.Text                   `yaml:"apiVersion,required" doc:"Version of the language: refit.dev/v1alpha1."`
	Kind          yamldoc.Text                   `yaml:"kind,required" enum:"Platform" doc:"Platform."`
	Metadata      Metadata                       `yaml:"metadata,required" doc:"Name of the platform."`
	Procedure     yamldoc.Text                   `yaml:"procedure,required" doc:"Name of a procedure that Refit ships, or path of a procedure file relative to this file (with a slash or ending in .yaml)."`
	Targets       yamldoc.Ordered[*yamldoc.Node] `yaml:"targets" doc:"Where the targets of the procedure are, by name: kind, optional identity, and what the kind needs (context, path, …)."`
	Inputs        *yamldoc.Node                  `yaml:"inputs" doc:"Values of the procedure's inputs, by name."`
	Backup        *Backup                        `yaml:"backup" doc:"Where backups go."`
	Windows       []Window                       `yaml:"windows" doc:"Maintenance windows."`
	AllowScratch  bool                           `yaml:"allowScratch" doc:"Checks may create objects of their own in the targets, which are removed again."`
	Notifications yamldoc.Ordered[Notification]  `yaml:"notifications" doc:"Channels over which people hear of a run, by name."`
	Accept        []Accept                       `yaml:"accept" doc:"Risks and failed checks that are accepted, by name."`
}

// Metadata names a platform.
type Metadata struct {
	Name        yamldoc.Text `yaml:"name,required" doc:"Name, lower case letters, digits and dashes."`
	Description string       `yaml:"description" doc:"What the platform is, for the reader of plans and reports."`
}

// Backup names the backup store.
type Backup struct {
	Store yamldoc.Text `yaml:"store,required" doc:"Address of the store: file:///path or s3://bucket/prefix."`
}

// Window is a time in which a stage may run: weekly (days, start, duration) or
// once (date, start, duration).
type Window struct {
	Pos      diag.Position    `yaml:"-"`
	Days     []yamldoc.Text   `yaml:"days" enum:"Mon,Tue,Wed,Thu,Fri,Sat,Sun" doc:"Days of the week on which the window opens."`
	Date     yamldoc.Text     `yaml:"date" doc:"Day on which the window opens once: 2026-11-28."`
	Start    yamldoc.Text     `yaml:"start,required" doc:"Wall clock time at which it opens: 22:00."`
	Duration yamldoc.Duration `yaml:"duration,required" doc:"How long it stays open, at most 7d."`
	Zone     yamldoc.Text     `yaml:"zone,required" doc:"IANA time zone of start: Europe/Paris, UTC."`
	OnClose  yamldoc.Text     `yaml:"onClose" enum:"finish,pause,abort" doc:"What happens to a stage that runs when the window closes: finish it, pause (default) or abort. The way back may always go on."`
}

// Accept lets a failed check or a risk pass.
type Accept struct {
	Pos     diag.Position `yaml:"-"`
	Name    yamldoc.Text  `yaml:"name,required" doc:"Name of the risk or check, as the plan prints it."`
	Reason  yamldoc.Text  `yaml:"reason,required" doc:"Why it may pass, for the report."`
	By      yamldoc.Text  `yaml:"by,required" doc:"Who accepts it."`
	Expires yamldoc.Text  `yaml:"expires,required" doc:"Last day on which it counts: 2026-12-31."`
}

// The platform file is written in the same version of the language as the
// procedure.
const apiVersion = procedure.APIVersion
