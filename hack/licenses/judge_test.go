package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const mit = `MIT License

Copyright (c) 2024 Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`

const agpl = `This program is free software: you can redistribute it and/or modify
it under the terms of the GNU Affero General Public License as published by
the Free Software Foundation, either version 3 of the License, or
(at your option) any later version.

This program is distributed in the hope that it will be useful,
but WITHOUT ANY WARRANTY; without even the implied warranty of
MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
GNU Affero General Public License for more details.

You should have received a copy of the GNU Affero General Public License
along with this program.  If not, see <https://www.gnu.org/licenses/>.
`

func TestLicencesOf(t *testing.T) {
	classify, err := newClassifier()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason  string
		files   map[string]string
		want    []string
		refused string
	}{
		"Permissive":   {"a common licence passes", map[string]string{"LICENSE": mit}, []string{"MIT"}, ""},
		"NoFile":       {"a module without a licence may not be used", map[string]string{"README.md": mit}, nil, "no licence found"},
		"Copyleft":     {"AGPL would reach over to Refit", map[string]string{"COPYING": agpl}, []string{"AGPL-3.0"}, "AGPL-3.0 is not on the allow-list"},
		"OneOfTwo":     {"each licence of a module counts", map[string]string{"LICENSE": mit, "LICENSE.agpl": agpl}, []string{"AGPL-3.0", "MIT"}, "AGPL-3.0"},
		"Unrecognised": {"a text that nobody knows is not permitted", map[string]string{"LICENSE.txt": "Ask me first."}, []string{"unknown (LICENSE.txt)"}, "unknown (LICENSE.txt) is not on"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range tc.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := licencesOf(dir, classify)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s: licences %q, want %q", tc.reason, got, tc.want)
			}
			why := judge(got)
			if (why == "") != (tc.refused == "") || !strings.Contains(why, tc.refused) {
				t.Errorf("%s: judged %q, want %q", tc.reason, why, tc.refused)
			}
		})
	}
}

// TestReadByPeople makes sure that what a person has read counts for that very
// text only.
func TestReadByPeople(t *testing.T) {
	nothing := func([]byte) []string { return nil }
	logo := []byte("https://commons.wikimedia.org/wiki/File:Memory_infra_logo.png\n")
	if got := identify("LICENSE-LOGO", logo, nothing); len(got) != 0 {
		t.Errorf("the origin of a picture counts as licence %v", got)
	}
	if got := identify("LICENSE-LOGO", append(logo, '!'), nothing); len(got) != 1 || judge(got) == "" {
		t.Errorf("a text that nobody has read passes as %v", got)
	}
}
