package versions

import (
	"fmt"
	"slices"
	"strconv"
)

// Requirement is something that must be true of the surroundings: the fact
// holds a version, and the version is within the constraint.
type Requirement struct {
	Name string `json:"name"`
	// Fact is the path of the fact below observe: "cluster.version".
	Fact       string `json:"fact"`
	Constraint string `json:"constraint"`
	// Scheme is one of the Scheme constants; empty means semver.
	Scheme string `json:"scheme,omitempty"`
	// Owner is who upgrades it when it is not met.
	Owner string `json:"owner,omitempty"`
}

// Met tells whether the observed value of the fact is within the constraint.
// An error means that this cannot be known: the value is missing, is not text
// or is no version.
func (r Requirement) Met(fact any) (bool, error) {
	constraint, err := r.parse()
	if err != nil {
		return false, fmt.Errorf("requirement %q: %w", r.Name, err)
	}
	var text string
	switch value := fact.(type) {
	case string:
		text = value
	case int64:
		text = strconv.FormatInt(value, 10)
	case nil:
		return false, fmt.Errorf("requirement %q: the fact %q is not there", r.Name, r.Fact)
	default:
		return false, fmt.Errorf("requirement %q: the fact %q is not a text that holds a version", r.Name, r.Fact)
	}
	observed, err := constraint.scheme.Parse(text)
	if err != nil {
		return false, fmt.Errorf("requirement %q: the fact %q: %w", r.Name, r.Fact, err)
	}
	return constraint.Match(observed), nil
}

// parse returns the constraint of r in its scheme.
func (r Requirement) parse() (*Constraint, error) {
	name := r.Scheme
	if name == "" {
		name = SchemeSemver
	}
	scheme, err := NewScheme(name, SchemeOptions{})
	if err != nil {
		return nil, err
	}
	return ParseConstraint(scheme, r.Constraint)
}

// mergeRequirements appends those of more that are not there yet. The same
// name may come twice with different constraints: then both must be met.
func mergeRequirements(list, more []Requirement) []Requirement {
	for _, r := range more {
		if !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	return list
}
