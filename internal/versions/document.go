package versions

import (
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// APIVersion is the version of the language that this package reads.
const APIVersion = "refit.dev/v1alpha1"

// DocumentKind is the kind of the documents of this package.
const DocumentKind = "Versions"

// Document is a version graph as its author wrote it. The struct tags are the
// language: the decoder, the JSON Schema and the reference page are made from
// them.
type Document struct {
	Pos        diag.Position                     `yaml:"-"`
	APIVersion yamldoc.Text                      `yaml:"apiVersion,required" doc:"Version of the language: refit.dev/v1alpha1."`
	Kind       yamldoc.Text                      `yaml:"kind,required" enum:"Versions" doc:"Versions."`
	Product    yamldoc.Text                      `yaml:"product,required" doc:"Name of the product, as people say it."`
	Scheme     SchemeDocument                    `yaml:"scheme,required" doc:"How the product writes and orders its versions."`
	Properties yamldoc.Ordered[PropertyDocument] `yaml:"properties" doc:"Values that versions and edges may carry, by name; they are members of a hop in expressions."`
	Versions   []VersionDocument                 `yaml:"versions,required" doc:"All versions that the graph knows."`
	Edges      []EdgeDocument                    `yaml:"edges,required" doc:"Ways between versions, permitted and forbidden ones."`
}

// SchemeDocument says how the product writes and orders its versions.
type SchemeDocument struct {
	Pos           diag.Position `yaml:"-"`
	Kind          yamldoc.Text  `yaml:"kind,required" enum:"dates,kubernetes,semver,tracks" doc:"semver; kubernetes (semver in which the suffix of a vendor does not make a version older); dates; tracks (names that are never ordered)."`
	Prefix        yamldoc.Text  `yaml:"prefix" doc:"Text before every version, such as RELEASE. (with the dot)."`
	Breaking      yamldoc.Text  `yaml:"breaking" enum:"major,minor" doc:"Which number begins a new release line; default major. For dates major is the year and minor the month."`
	BreakingUntil yamldoc.Text  `yaml:"breakingUntil" doc:"With breaking minor: the first version from which only the major number begins a release line."`
}

// PropertyDocument declares a value that versions and edges may carry.
type PropertyDocument struct {
	Pos         diag.Position  `yaml:"-"`
	Type        yamldoc.Text   `yaml:"type,required" enum:"any,bool,duration,int,list,map,number,object,string" doc:"Type of the value."`
	Items       yamldoc.Text   `yaml:"items" enum:"any,bool,duration,int,number,object,string" doc:"Type of the members of a list or map."`
	Enum        []yamldoc.Text `yaml:"enum" doc:"Permitted values of a string."`
	Default     *yamldoc.Node  `yaml:"default" doc:"Value of hops for which neither the edge nor the version has one."`
	Optional    bool           `yaml:"optional" doc:"Hops may lack the value; test it with has(hop.NAME)."`
	Description string         `yaml:"description" doc:"One sentence for the author of a procedure."`
}

// VersionDocument is one version.
type VersionDocument struct {
	Pos        diag.Position                        `yaml:"-"`
	Version    yamldoc.Text                         `yaml:"version,required" doc:"The version as the product writes it, in quotes."`
	Released   yamldoc.Text                         `yaml:"released" doc:"Day of the release: 2021-06-01."`
	Aliases    []yamldoc.Text                       `yaml:"aliases" doc:"Other names that people or tools use for it."`
	Properties yamldoc.Ordered[*yamldoc.Node]       `yaml:"properties" doc:"Values of declared properties, for hops to this version."`
	Requires   yamldoc.Ordered[RequirementDocument] `yaml:"requires" doc:"What must be true of the surroundings before this version is installed, by name."`
}

// EdgeDocument says something of all pairs of versions that From and To match.
type EdgeDocument struct {
	Pos        diag.Position                        `yaml:"-"`
	From       *yamldoc.Node                        `yaml:"from,required" doc:"Versions that the edge leads from: a constraint, a version or a list of them."`
	To         *yamldoc.Node                        `yaml:"to,required" doc:"Versions that the edge leads to: a constraint, a version or a list of them. For a waypoint exactly one version."`
	Crosses    yamldoc.Text                         `yaml:"crosses" enum:"any,compatible,breaking,next" doc:"Only pairs within one release line (compatible), in different ones (breaking) or from one line to the next (next); default any."`
	Kind       yamldoc.Text                         `yaml:"kind,required" enum:"upgrade,waypoint,migration,forbidden" doc:"upgrade; waypoint (an upgrade that must not be jumped over); migration (needs another procedure); forbidden."`
	Why        string                               `yaml:"why" doc:"The reason, shown to whoever is stopped; needed for forbidden and migration."`
	Procedure  yamldoc.Text                         `yaml:"procedure" doc:"With migration: name of the procedure to use instead."`
	Properties yamldoc.Ordered[*yamldoc.Node]       `yaml:"properties" doc:"Values of declared properties; they win over those of the version."`
	Requires   yamldoc.Ordered[RequirementDocument] `yaml:"requires" doc:"What must be true of the surroundings before the hop, by name."`
	Risks      []RiskDocument                       `yaml:"risks" doc:"What may go wrong on the hop, and how to tell."`
}

// RequirementDocument is something that must be true of the surroundings.
type RequirementDocument struct {
	Pos        diag.Position `yaml:"-"`
	Fact       yamldoc.Text  `yaml:"fact,required" doc:"Path of the fact below observe that holds the version: cluster.version."`
	Constraint yamldoc.Text  `yaml:"constraint,required" doc:"Versions that are good: \">=1.23 <1.30\"."`
	Scheme     yamldoc.Text  `yaml:"scheme" enum:"dates,kubernetes,semver,tracks" doc:"How the versions of the fact are ordered; default semver."`
	Owner      yamldoc.Text  `yaml:"owner" doc:"Who upgrades it when it is not met."`
}

// RiskDocument is something that may go wrong on a hop.
type RiskDocument struct {
	Pos     diag.Position  `yaml:"-"`
	Name    yamldoc.Text   `yaml:"name,required" doc:"Name by which a person accepts the risk: lower case letters, digits and dashes."`
	Summary string         `yaml:"summary,required" doc:"What happens, in one sentence."`
	URL     yamldoc.Text   `yaml:"url" doc:"Where the vendor describes it."`
	Remedy  string         `yaml:"remedy" doc:"What to do so that it does not apply."`
	Rules   []RuleDocument `yaml:"rules" doc:"The first rule whose condition is true decides; an error, or no such rule, means unknown. Without rules the risk applies."`
}

// RuleDocument decides whether a risk applies.
type RuleDocument struct {
	Pos     diag.Position `yaml:"-"`
	When    *yamldoc.Node `yaml:"when,required" type:"text" doc:"Expression over facts and the hop, or true."`
	Outcome yamldoc.Text  `yaml:"outcome,required" enum:"applies,clear" doc:"What holds when the condition is true."`
}
