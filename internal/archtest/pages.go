package archtest

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The shape of a changelog fragment: a first line "Kind: sentence.", and below
// an empty line why it matters to a user.
var fragmentTitle = regexp.MustCompile(`^(Added|Changed|Fixed|Removed|Security): [A-Z].*\.$`)

// changelog checks the fragments of the next release.
func changelog(t *Tree) []Problem {
	const dir = "changelog/unreleased"
	var problems []Problem
	for _, name := range t.paths() {
		if path.Dir(name) != dir {
			continue
		}
		if path.Ext(name) != ".md" {
			problems = append(problems, at(name, 0, "is not a fragment: its name must end in .md"))
			continue
		}
		lines := t.lines(name)
		if len(lines) == 0 || !fragmentTitle.MatchString(lines[0]) {
			problems = append(problems, at(name, 1,
				`must begin with "Added: Sentence." (or Changed, Fixed, Removed, Security)`))
			continue
		}
		if len(lines) < 3 || lines[1] != "" || strings.TrimSpace(lines[2]) == "" {
			problems = append(problems, at(name, 2, "must have an empty line and then the text for users"))
		}
	}
	return problems
}

var (
	decisionName   = regexp.MustCompile(`^(\d{4})-[a-z0-9]+(-[a-z0-9]+)*\.md$`)
	decisionStatus = regexp.MustCompile(`(?m)^Status: (Proposed|Accepted|Rejected|Superseded by [0-9]{4})$`)
)

// decisions checks the names, numbers, titles and states of docs/adr.
func decisions(t *Tree) []Problem {
	const dir = "docs/adr"
	var problems []Problem
	next := 1
	for _, name := range t.paths() {
		base := path.Base(name)
		if path.Dir(name) != dir || base == "README.md" {
			continue
		}
		m := decisionName.FindStringSubmatch(base)
		if m == nil {
			problems = append(problems, at(name, 0, "is not named NNNN-title-in-lower-case.md"))
			continue
		}
		if want := fmt.Sprintf("%04d", next); m[1] != want {
			problems = append(problems, at(name, 0, "has not the next number, %s", want))
		}
		next++
		text := string(t.Files[name])
		if !strings.HasPrefix(text, "# "+m[1]+". ") {
			problems = append(problems, at(name, 1, `must begin with "# %s. Title"`, m[1]))
		}
		if !decisionStatus.MatchString(text) {
			problems = append(problems, at(name, 0,
				"has no line Status: Proposed, Accepted, Rejected or Superseded by NNNN"))
		}
	}
	return problems
}

var (
	link     = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading  = regexp.MustCompile(`^#{1,6} +(.*?)\s*$`)
	codeSpan = regexp.MustCompile("`[^`]*`")
	notSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// links checks that relative links of Markdown files lead to a file or folder
// that exists, and to a heading of it.
func links(t *Tree) []Problem {
	var problems []Problem
	for _, name := range t.paths() {
		if path.Ext(name) != ".md" || inTestdata(name) {
			continue
		}
		fenced := false
		for i, line := range t.lines(name) {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
			}
			if fenced {
				continue
			}
			for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, ""), -1) {
				if why := t.broken(name, m[1]); why != "" {
					problems = append(problems, at(name, i+1, "link %s %s", m[1], why))
				}
			}
		}
	}
	return problems
}

// broken says why a link of a page leads nowhere, or nothing.
func (t *Tree) broken(page, target string) string {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return ""
	}
	file, anchor, _ := strings.Cut(target, "#")
	to := page
	if file != "" {
		to = path.Join(path.Dir(page), file)
	}
	if !t.exists(to) {
		return "leads to nothing"
	}
	if anchor != "" && path.Ext(to) == ".md" && !slices.Contains(t.anchors(to), anchor) {
		return "leads to no heading of " + to
	}
	return ""
}

// exists tells whether a file or a folder with files is part of the tree.
func (t *Tree) exists(name string) bool {
	if _, ok := t.Files[name]; ok || name == "." {
		return true
	}
	for file := range t.Files {
		if strings.HasPrefix(file, name+"/") {
			return true
		}
	}
	return false
}

// anchors returns the names under which the headings of a page can be linked.
func (t *Tree) anchors(page string) []string {
	var out []string
	for _, line := range t.lines(page) {
		if m := heading.FindStringSubmatch(line); m != nil {
			text := notSlug.ReplaceAllString(strings.ToLower(m[1]), "")
			out = append(out, strings.ReplaceAll(text, " ", "-"))
		}
	}
	return out
}

// localPath matches paths that exist on one person's machine only.
var localPath = regexp.MustCompile(
	`(?:^|[\s"'=:(])(/root|/home/[a-z][a-z0-9_-]*|/Users/[A-Za-z][A-Za-z0-9._-]*)/`)

// knownHomes are facts of the images of JupyterHub and of Ubuntu, not of a
// person's machine.
func knownHomes() []string { return []string{"/home/jovyan", "/home/ubuntu"} }

// localPaths checks that no file names a folder of whoever wrote it.
func localPaths(t *Tree) []Problem {
	var problems []Problem
	for _, name := range t.paths() {
		if strings.HasPrefix(name, "internal/archtest/testdata/") {
			continue
		}
		if !mayNameHome(t.Files[name]) {
			continue
		}
		for i, line := range t.lines(name) {
			for _, m := range localPath.FindAllStringSubmatch(line, -1) {
				if !slices.Contains(knownHomes(), m[1]) {
					problems = append(problems, at(name, i+1,
						"%s is a folder of one machine: name none, or a variable", m[1]))
				}
			}
		}
	}
	return problems
}

// mayNameHome spares most files the regular expression.
func mayNameHome(text []byte) bool {
	for _, part := range []string{"/root", "/home", "/Users"} {
		if bytes.Contains(text, []byte(part)) {
			return true
		}
	}
	return false
}
