package runbook

import (
	"regexp"
	"strings"
)

// What stands in texts in the place of an input, until they are rendered.
const (
	tokenStart = '\ue000'
	tokenEnd   = '\ue001'
)

func token(key string) string { return string(tokenStart) + key + string(tokenEnd) }

var tokens = regexp.MustCompile(string(tokenStart) + `([a-z0-9_]+)` + string(tokenEnd))

// Input is a value that the page leaves to whoever follows it.
type Input struct {
	// Name is the name of the input, Text what stands for it on the page.
	Name string `json:"name"`
	Text string `json:"text"`
	// Secret tells that the value must stay hidden. Such an input is prepared as a
	// comment: work of a person cannot use it.
	Secret bool `json:"secret,omitempty"`
	Line   int  `json:"line"`
}

// inputs collects what is found, in the order of the page.
type inputs struct {
	list  []*Input
	index map[string]*Input
}

// add returns the key of an input that text stands for.
func (in *inputs) add(name, text string, line int) *Input {
	key := keyOf(name)
	if in.index == nil {
		in.index = map[string]*Input{}
	}
	if found := in.index[key]; found != nil {
		return found
	}
	found := &Input{Name: key, Text: text, Line: line, Secret: isSecretName.MatchString(key)}
	in.index[key] = found
	in.list = append(in.list, found)
	return found
}

var (
	notInKey = regexp.MustCompile(`[^a-z0-9]+`)
	yours    = regexp.MustCompile(`^(?:your|my|the|insert|enter|replace|change)_+`)
)

// keyOf makes the name of an input of what stands on the page.
func keyOf(name string) string {
	key := strings.Trim(notInKey.ReplaceAllString(strings.ToLower(name), "_"), "_")
	if rest := yours.ReplaceAllString(key, ""); rest != "" && rest != "me" {
		key = rest
	}
	const longest = 40
	if len(key) > longest {
		key = strings.Trim(key[:longest], "_")
	}
	switch {
	case key == "":
		return "value"
	case key[0] >= '0' && key[0] <= '9':
		return "value_" + key
	case strings.Contains(" in true false null as break const continue else for function if import let loop "+
		"package namespace_ return var void while ",
		" "+key+" "):
		return key + "_value"
	default:
		return key
	}
}

var (
	anglePlace = regexp.MustCompile(`<([A-Za-z](?:[^<>\n$|&;=/\\"']{0,60}[^<>\s\n$|&;=/\\"'])?)>`)
	bracePlace = regexp.MustCompile(`\{\{-?\s*([A-Za-z_][A-Za-z0-9_]*)\s*-?\}\}`)
	yourPlace  = regexp.MustCompile(`\b(?:(?:YOUR|MY|INSERT|ENTER|REPLACE|CHANGE)[-_][A-Z0-9]+(?:[-_][A-Z0-9]+)*` +
		`|CHANGEME|your-[a-z0-9]+(?:-[a-z0-9]+)*)\b`)
	valuePlace = regexp.MustCompile(`\b([A-Za-z_][A-Za-z0-9_-]*)=(\?{2,}|\.\.\.|[Xx]{3,}|CHANGE_?ME|REPLACE_?ME` +
		`|TODO|FIXME)(\s|$)`)
	fillIn = regexp.MustCompile(`^(?:YOUR|MY|INSERT|ENTER|REPLACE|CHANGE)[-_]?[A-Z0-9_-]*$|^your-|^\?+$` +
		`|^[Xx]{3,}$|^\.\.\.$|^[A-Z]+(?:[_-][A-Z0-9]+)+$|^(?:TODO|FIXME)$`)
	templateKey = regexp.MustCompile(`^(?:end|else|range|if|with|define|template|block|nil|include|toYaml)$`)
)

// places replaces what is to be filled in by tokens.
func (in *inputs) places(text string, line int) string {
	at := func(match string) int {
		if before, _, found := strings.Cut(text, match); found {
			return line + strings.Count(before, "\n")
		}
		return line
	}
	put := func(re *regexp.Regexp, s string) string {
		return re.ReplaceAllStringFunc(s, func(match string) string {
			name := re.FindStringSubmatch(match)
			if len(name) > 1 && templateKey.MatchString(name[1]) {
				return match
			}
			found := in.add(name[len(name)-1], match, at(match))
			if found.Secret {
				return "$" + strings.ToUpper(found.Name)
			}
			return token(found.Name)
		})
	}
	out := valuePlace.ReplaceAllStringFunc(text, func(match string) string {
		m := valuePlace.FindStringSubmatch(match)
		found := in.add(m[1], m[2], at(match))
		if found.Secret {
			return match
		}
		return m[1] + "=" + token(found.Name) + m[3]
	})
	out = put(anglePlace, out)
	out = put(bracePlace, out)
	return put(yourPlace, out)
}
