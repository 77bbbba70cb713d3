package runbook

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// command is what one block of commands says.
type command struct {
	// shows is what a person types, with tokens for inputs; script the same for a
	// shell, which gets the inputs as variables.
	shows, script string
	// argv are the words when it is one program without a shell.
	argv []string
	env  []string // keys of inputs that script takes as variables
	// count is how many commands there are.
	count int
	// reads tells that all programs are known to read only, changes that one is
	// known to change more than a copy.
	reads, changes bool
	// parsed tells that the text could be read as a shell script, ready that it can
	// be carried out as it is.
	parsed, ready bool
	// borrows are variables that other commands of the page set, sets those that it
	// sets itself, lends those of them that others use; secrets are those whose values
	// stay hidden.
	borrows, sets, lends, secrets []string
	name                          string
}

// shellEnv are variables that every shell has.
const shellEnv = " HOME PATH USER PWD SHELL HOSTNAME LOGNAME TERM LANG TMPDIR EDITOR RANDOM SECONDS UID EUID " +
	"IFS OLDPWD KUBECONFIG " +
	"PS1 LINENO REPLY OPTARG OPTIND DISPLAY BASH BASHPID PPID PIPESTATUS FUNCNAME COLUMNS LINES MAIL HOSTTYPE " +
	"OSTYPE MACHTYPE REFIT_KEY "

var (
	upperName = regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)
	upperWord = regexp.MustCompile(`^[A-Z][A-Z0-9]*(?:[_-][A-Z0-9]+)+$|^(?:NAMESPACE|RELEASE|VERSION|CLUSTER|NAME` +
		`|USERNAME|HOSTNAME|DOMAIN|BUCKET|PROJECT|REGION|NODE|POD|CONTEXT|TAG|PASSWORD|TOKEN|SERVER|DATABASE|IMAGE` +
		`|REGISTRY)$`)
	assigned = regexp.MustCompile(`(?m)(?:^|[;&|({\s])(?:(?:export|local|readonly` +
		`|declare(?:\s-\w+)?)\s+)?([A-Za-z_][A-Za-z0-9_]*)=|\bfor\s+([A-Za-z_][A-Za-z0-9_]*)\s+in\b` +
		`|\bread\s+(?:-\w+\s+)*([A-Za-z_][A-Za-z0-9_]*)`)
)

// assignments returns the variables that a text sets.
func assignments(text string) map[string]bool {
	out := map[string]bool{}
	for _, m := range assigned.FindAllStringSubmatch(text, -1) {
		out[m[1]+m[2]+m[3]] = true
	}
	return out
}

// edit replaces a part of a text.
type edit struct {
	from, to int
	with     string
}

func apply(text string, edits []edit) string {
	slices.SortFunc(edits, func(a, b edit) int { return b.from - a.from })
	for i, e := range edits {
		if i > 0 && e.to > edits[i-1].from {
			continue
		}
		text = text[:e.from] + e.with + text[e.to:]
	}
	return text
}

// read analyses what is typed. Variables that nothing on the page sets, and
// words that stand for something, become inputs; set are the variables that some
// command of the page sets.
func (in *inputs) read(text string, line int, set map[string]bool) command {
	text = in.places(text, line)
	c := command{shows: text, script: text, count: 1}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil || len(file.Stmts) == 0 {
		c.count = len(nonBlank(text))
		c.name = firstWords(text)
		return c
	}
	a := &analysis{in: in, c: &c, text: text, line: line, set: set, own: assignments(text)}
	c.sets = slices.Sorted(maps.Keys(a.own))
	for _, hidden := range in.list {
		if hidden.Secret && strings.Contains(text, "$"+strings.ToUpper(hidden.Name)) {
			c.secrets = appendNew(c.secrets, strings.ToUpper(hidden.Name))
		}
	}
	c.parsed, c.ready, c.reads, c.count = true, true, true, len(file.Stmts)
	syntax.Walk(file, a.visit)
	c.shows = apply(text, slices.Clone(a.shows))
	c.script = apply(text, a.script)
	if len(file.Stmts) == 1 {
		c.argv = a.simple(file.Stmts[0])
	}
	if strings.ContainsRune(c.script, tokenStart) {
		c.ready = false // it stands where no variable can
	}
	if c.name == "" {
		c.name = firstWords(text)
	}
	slices.Sort(c.env)
	c.env = slices.Compact(c.env)
	return c
}

// analysis is one walk over a script.
type analysis struct {
	in            *inputs
	c             *command
	text          string
	line          int
	set, own      map[string]bool
	stack         []syntax.Node
	shows, script []edit
}

func (a *analysis) visit(n syntax.Node) bool {
	if n == nil {
		a.stack = a.stack[:len(a.stack)-1]
		return true
	}
	switch n := n.(type) {
	case *syntax.ParamExp:
		a.variable(n)
	case *syntax.Lit:
		a.literal(int(n.Pos().Offset()), int(n.End().Offset()), a.quoting())
	case *syntax.SglQuoted:
		a.literal(int(n.Pos().Offset()), int(n.End().Offset()), `'`)
	case *syntax.CallExpr:
		a.call(n)
	case *syntax.Redirect:
		a.redirect(n)
	case *syntax.FuncDecl:
		a.c.reads = false
	}
	a.stack = append(a.stack, n)
	return true
}

// quoting returns what stands around the node that is visited: a double quote, a
// heredoc as "<", or nothing.
func (a *analysis) quoting() string {
	for i, n := range slices.Backward(a.stack) {
		switch n := n.(type) {
		case *syntax.DblQuoted:
			return `"`
		case *syntax.CmdSubst, *syntax.CallExpr:
			return ""
		case *syntax.Redirect:
			if n.Hdoc != nil && i+1 < len(a.stack) && a.stack[i+1] == syntax.Node(n.Hdoc) {
				return "<"
			}
		}
	}
	return ""
}

// literal gives the script variables in the place of tokens.
func (a *analysis) literal(from, to int, quote string) {
	if from > to || to > len(a.text) {
		return
	}
	for _, m := range tokens.FindAllStringSubmatchIndex(a.text[from:to], -1) {
		key := a.text[from+m[2] : from+m[3]]
		name := strings.ToUpper(key)
		with := "${" + name + "}"
		switch quote {
		case "":
			with = `"$` + name + `"`
		case `'`:
			with = `'"$` + name + `"'`
		}
		a.script = append(a.script, edit{from + m[0], from + m[1], with})
		a.c.env = append(a.c.env, key)
	}
}

// variable makes an input of a variable that nothing on the page sets.
func (a *analysis) variable(p *syntax.ParamExp) {
	if p.Param == nil {
		return
	}
	name := p.Param.Value
	if a.own[name] || strings.Contains(shellEnv, " "+name+" ") {
		return
	}
	if a.set[name] {
		a.c.borrows = appendNew(a.c.borrows, name)
		return
	}
	plain := p.Exp == nil && p.Repl == nil && p.Slice == nil && p.Index == nil && !p.Length && !p.Excl && !p.Width
	if !plain || !upperName.MatchString(name) {
		return
	}
	found := a.in.add(name, "$"+name, a.line+int(p.Pos().Line())-1)
	if found.Secret {
		a.c.secrets = appendNew(a.c.secrets, name)
		return
	}
	if keyOf(name) == strings.ToLower(name) {
		a.c.env = append(a.c.env, found.Name)
	} else {
		a.c.ready = false
	}
	a.shows = append(a.shows, edit{int(p.Pos().Offset()), int(p.End().Offset()), token(found.Name)})
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// call looks at one program: does it only read, and which of its words stand for
// something.
func (a *analysis) call(n *syntax.CallExpr) {
	if len(n.Args) == 0 {
		return
	}
	words := make([]string, len(n.Args))
	for i, w := range n.Args {
		words[i] = a.text[w.Pos().Offset():w.End().Offset()]
		if i > 0 {
			a.upper(w, words[i])
		}
	}
	words = unwrapped(words)
	if a.c.name == "" {
		a.c.name = commandName(words)
	}
	if !readsOnly(words) {
		a.c.reads = false
	}
	if changesThings(words) {
		a.c.changes = true
	}
}

// upper makes an input of a word in capitals that stands for something.
func (a *analysis) upper(w *syntax.Word, source string) {
	from := int(w.Pos().Offset())
	if i := strings.IndexByte(source, '='); i >= 0 && strings.HasPrefix(source, "-") {
		from, source = from+i+1, source[i+1:]
	}
	bare := strings.Trim(source, `"'`)
	if !upperWord.MatchString(bare) || a.set[bare] || a.own[bare] {
		return
	}
	found := a.in.add(bare, bare, a.line+int(w.Pos().Line())-1)
	with := token(found.Name)
	if found.Secret {
		with = "$" + bare
		a.c.ready = false
		a.shows = append(a.shows, edit{from, from + len(source), with})
		return
	}
	a.shows = append(a.shows, edit{from, from + len(source), with})
	a.script = append(a.script, edit{from, from + len(source), `"$` + strings.ToUpper(found.Name) + `"`})
	a.c.env = append(a.c.env, found.Name)
}

func (a *analysis) redirect(n *syntax.Redirect) {
	switch n.Op {
	case syntax.RdrOut, syntax.AppOut, syntax.RdrAll, syntax.AppAll, syntax.RdrClob, syntax.RdrInOut:
		if n.Word == nil || n.Word.Lit() != "/dev/null" {
			a.c.reads = false
		}
	case syntax.Hdoc, syntax.DashHdoc:
		if strings.ContainsRune(a.text, tokenStart) && n.Word != nil && n.Word.Lit() == "" {
			a.c.ready = false // nothing is replaced within
		}
	default:
	}
}

// simple returns the words of a statement that needs no shell, with tokens for
// inputs; nil for any other.
func (a *analysis) simple(s *syntax.Stmt) []string {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Assigns) > 0 || len(call.Args) == 0 || len(s.Redirs) > 0 {
		return nil
	}
	if s.Background || s.Negated || s.Coprocess || s.Disown {
		return nil
	}
	out := make([]string, 0, len(call.Args))
	for _, w := range call.Args {
		word, ok := a.word(w.Parts, false)
		if !ok {
			return nil
		}
		out = append(out, word)
	}
	if strings.Contains(" cd export source set unset . alias eval exec exit read ulimit umask ", " "+out[0]+" ") ||
		strings.ContainsRune(out[0], tokenStart) {
		return nil
	}
	return out
}

// word returns the value of a word that no shell has to expand.
func (a *analysis) word(parts []syntax.WordPart, quoted bool) (string, bool) {
	var b strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			if strings.Contains(part.Value, `\`) || !quoted && strings.ContainsAny(part.Value, "*?[]{}~") {
				return "", false
			}
			from := int(part.Pos().Offset())
			b.WriteString(a.shown(from, int(part.End().Offset()), part.Value))
		case *syntax.SglQuoted:
			if part.Dollar {
				return "", false
			}
			b.WriteString(part.Value)
		case *syntax.DblQuoted:
			inner, ok := a.word(part.Parts, true)
			if !ok || part.Dollar {
				return "", false
			}
			b.WriteString(inner)
		case *syntax.ParamExp:
			i := slices.IndexFunc(a.shows, func(e edit) bool { return e.from == int(part.Pos().Offset()) })
			if i < 0 {
				return "", false
			}
			b.WriteString(a.shows[i].with)
		default:
			return "", false
		}
	}
	return b.String(), true
}

// shown applies the edits of a word in capitals to its value.
func (a *analysis) shown(from, to int, value string) string {
	for _, e := range a.shows {
		if e.from >= from && e.to <= to && to-from == len(value) {
			return value[:e.from-from] + e.with + value[e.to-from:]
		}
	}
	return value
}
