package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	classifier "github.com/google/licenseclassifier/v2"
	"github.com/google/licenseclassifier/v2/assets"
)

// allowed holds the licences, by SPDX name, that a static binary under
// Apache-2.0 may contain: permissive ones, and MPL-2.0, which asks only for the
// source of its own files.
func allowed() []string {
	return []string{
		"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MPL-2.0",
		"Unicode-DFS-2015", "Unicode-DFS-2016", "Unicode-TOU", "Unlicense", "Zlib", publicDomain,
	}
}

// publicDomain is what the authors of a work have given up their rights in.
const publicDomain = "Public domain"

// notALicence is for files that have the name of a licence and license no code.
const notALicence = ""

// readByPeople holds, by the digest of its text, what a person found in a file
// that the classifier does not recognise, or takes for one of code. Another text is
// asked about again.
func readByPeople() map[string]string {
	return map[string]string{
		// SQLite: dedicated to the public domain by its authors.
		"8438c9c89b849131ead81d5435cb97fcf052df5b0b286dda8a2d4c29e6cb3fd0": publicDomain,
		// modernc.org/memory: where the picture on its page comes from.
		"5ae5bee3072a841376451b48d8cfcec7188e10543926d5870828d36c8a750dc5": notALicence,
		// opencontainers/go-digest: of its documentation, which nothing is made of.
		"a1d1adec3ba691ef6e377a78bbe9e9e2501f2f4a1723d08857da1ac6564e4fed": notALicence,
	}
}

// judge says why a module with these licences may not be used; empty means
// that it may. A module with several licences needs each of them on the list:
// nobody here can know which file falls under which.
func judge(licences []string) string {
	if len(licences) == 0 {
		return "no licence found: look at the module, then choose another one"
	}
	for _, l := range licences {
		if !slices.Contains(allowed(), l) {
			return fmt.Sprintf("licence %s is not on the allow-list (hack/licenses/judge.go)", l)
		}
	}
	return ""
}

// classifyFunc names the licences that a text consists of.
type classifyFunc func(text []byte) []string

func newClassifier() (classifyFunc, error) {
	c, err := assets.DefaultClassifier()
	if err != nil {
		return nil, fmt.Errorf("load licence texts: %w", err)
	}
	return func(text []byte) []string { return names(c.Match(c.Normalize(text))) }, nil
}

// names keeps what is a licence; copyright lines and the like are dropped.
func names(r classifier.Results) []string {
	var out []string
	for _, m := range r.Matches {
		if m.MatchType == "License" || m.MatchType == "Header" {
			out = append(out, m.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// licencesOf reads the licence files at the top of a module. Each must be
// recognised; one that is not counts as a licence of its own.
func licencesOf(dir string, classify classifyFunc) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		if e.IsDir() || !isLicenceFile(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, identify(e.Name(), text, classify)...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// identify names the licences in a file.
func identify(name string, text []byte, classify classifyFunc) []string {
	sum := sha256.Sum256(text)
	known, ok := readByPeople()[hex.EncodeToString(sum[:])]
	if found := classify(text); !ok && len(found) > 0 {
		return found
	}
	switch {
	case !ok:
		return []string{"unknown (" + name + ")"}
	case known == notALicence:
		return nil
	default:
		return []string{known}
	}
}

func isLicenceFile(name string) bool {
	name = strings.ToUpper(name)
	for _, prefix := range []string{"LICENSE", "LICENCE", "COPYING", "UNLICENSE"} {
		if strings.HasPrefix(name, prefix) && !strings.HasSuffix(name, ".GO") {
			return true
		}
	}
	return false
}
