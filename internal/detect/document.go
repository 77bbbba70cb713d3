package detect

import (
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// APIVersion is the version of the language that this package reads.
const APIVersion = "refit.dev/v1alpha1"

// DocumentKind is the kind of the documents of this package.
const DocumentKind = "Detection"

// Document is a detect.yaml as its author wrote it. The struct tags are the language.
type Document struct {
	Pos        diag.Position                  `yaml:"-"`
	APIVersion yamldoc.Text                   `yaml:"apiVersion,required" doc:"Version of the language: refit.dev/v1alpha1."`
	Kind       yamldoc.Text                   `yaml:"kind,required" enum:"Detection" doc:"Detection."`
	Helm       HelmDocument                   `yaml:"helm,required" doc:"Which releases of Helm are such a platform."`
	Lists      yamldoc.Ordered[ListDocument]  `yaml:"lists" doc:"Objects in the namespace of the release that tell more, by the name that expressions know them by."`
	Inputs     yamldoc.Ordered[InputDocument] `yaml:"inputs,required" doc:"Inputs of the procedure, by name; members of an object with a dot, as database.kind."`
}

// HelmDocument says which releases are a platform.
type HelmDocument struct {
	Pos   diag.Position `yaml:"-"`
	Chart yamldoc.Text  `yaml:"chart,required" doc:"Name of the chart."`
}

// ListDocument is a list of objects.
type ListDocument struct {
	Pos        diag.Position `yaml:"-"`
	APIVersion yamldoc.Text  `yaml:"apiVersion,required" doc:"Group and version of the kind."`
	Kind       yamldoc.Text  `yaml:"kind,required" doc:"Kind of the objects. Secrets are never read."`
	Selector   string        `yaml:"selector" doc:"Selector of labels; default all objects of the namespace."`
}

// InputDocument says where an input is found.
type InputDocument struct {
	Pos       diag.Position `yaml:"-"`
	Value     *yamldoc.Node `yaml:"value" type:"any" doc:"Its value, with expressions over release, values and the lists. One that is null, empty or cannot be computed was not found."`
	Otherwise yamldoc.Text  `yaml:"otherwise" doc:"What a person does when it was not found."`
}
