package service

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/report"
)

// Issues returns the known issues of a procedure: the name of one that Refit
// ships, the file of one, or a file of known issues. Without a ref it returns those
// of all procedures that Refit ships. They are in the order of their files.
//
// With a text only those come back that a person may mean by it, the best first:
// a message that was copied, or words.
func (s *Service) Issues(ctx context.Context, ref, text string) ([]report.KnownIssue, error) {
	refs := []string{ref}
	if ref == "" {
		var err error
		if refs, err = s.shipped(); err != nil {
			return nil, err
		}
	}
	out := []report.KnownIssue{}
	for _, one := range refs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name, set, err := s.issuesOf(one)
		if err != nil {
			return nil, err
		}
		found := set.List()
		if text != "" {
			found = set.Search(text)
		}
		for _, i := range found {
			out = append(out, report.KnownIssue{Procedure: name, Issue: i})
		}
	}
	return out, nil
}

// Issue returns one known issue by its id. An id that is not there is a
// *UsageError.
func (s *Service) Issue(ctx context.Context, ref, id string) (report.KnownIssue, error) {
	list, err := s.Issues(ctx, ref, "")
	if err != nil {
		return report.KnownIssue{}, err
	}
	ids := make([]string, len(list))
	for i := range list {
		if ids[i] = list[i].ID; ids[i] == id {
			return list[i], nil
		}
	}
	slices.Sort(ids)
	return report.KnownIssue{}, usageErrorf("there is no known issue %q", id).suggest("%s", diag.DidYouMean(id, ids))
}

// issuesOf loads the known issues that ref names, and returns what they belong to.
func (s *Service) issuesOf(ref string) (string, *issues.Set, error) {
	if isFileName(ref) {
		data, ds := readDocument(ref)
		if !ds.HasErrors() && kindOf(ref, data) == issues.DocumentKind {
			set, ds := issues.Load(ref, data)
			if set == nil {
				return "", nil, ds
			}
			return filepath.Base(ref), set, nil
		}
	}
	proc, _, _, err := s.loadProcedure(ref, "", diag.Position{})
	if err != nil {
		return "", nil, err
	}
	return proc.Document.Metadata.Name.Value, proc.Issues, nil
}
