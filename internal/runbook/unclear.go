package runbook

import (
	"regexp"
	"strings"
)

const sayWhich = "write sh behind its ``` when somebody types it, text when it is only shown"

// unclear takes a block that nothing tells about what it is. To say yes to a check
// must never stand for doing something, so that it is work wherever it could be.
func (w *walker) unclear(b Block, text string) {
	output := outputIntro(w.intro())
	ran := w.does || w.open != nil || w.last != nil && len(w.last.commands) > 0
	switch changes := changesData(b.Info, text); {
	case changes && output && ran:
		w.warnf("TakenAsOutput", b.Line, "a block without a language is taken as output").Suggest(sayWhich)
		w.shown(b, text)
	case changes:
		w.task(b, text)
	case mayBeTyped(b.Info, text) && output && ran:
		w.warnf("TakenAsOutput", b.Line, "a block without a language is taken as output").Suggest(sayWhich)
		w.shown(b, text)
	case mayBeTyped(b.Info, text):
		w.warnf("TakenAsCommands", b.Line, "a block without a language is taken as commands").Suggest(sayWhich)
		w.commands(b, text)
	case output || !w.works() || w.printed() || drawn(text):
		w.shown(b, text)
	default:
		w.task(b, text)
	}
}

// untaken warns of a block in a section that only tells something, when somebody might
// have to do something with it.
func (w *walker) untaken(b Block, text string) {
	typed := mayBeTyped(b.Info, text) || changesData(b.Info, text)
	if b.Kind != Code || textLanguage(language(b.Info)) || !typed {
		return
	}
	w.warnf("NotAStep", b.Line, "a block without a language is kept in the description, and is no step").
		Suggest("move it below a heading that says what it is for")
}

// task makes a step of a block that somebody has to do something with, although the
// page does not say what.
func (w *walker) task(b Block, text string) {
	w.warnf("TakenAsCommands", b.Line, "a block that does not say what it is for is taken as work").Suggest(sayWhich)
	s := &step{kind: work}
	for _, p := range w.pending {
		s.add(p)
	}
	s.add(piece{text: text, code: true, depth: b.Depth, line: b.Line})
	s.end = max(s.end, b.End)
	if s.firstProse() == "" {
		s.about = summaryOf(w.at.section.Heading)
	}
	w.pending, w.does, w.open = nil, false, nil
	w.emit(s)
}

// printed tells whether a block that no person could type is what the step before it
// prints, or what is to be looked at.
func (w *walker) printed() bool {
	return w.open != nil || w.made > 0 && !w.hasText() && w.last != nil && len(w.last.commands) > 0
}

// works tells whether the section is about changes, and not about what has to be so.
func (w *walker) works() bool {
	switch w.at.role {
	case roleBefore, phasePreflight, phaseBackup, phaseVerify:
		return false
	default:
		return true
	}
}

// textLanguage tells whether a fence says that nobody types what stands in it.
func textLanguage(lang string) bool {
	return strings.Contains(" text txt plain plaintext output log logs none nohighlight ascii markdown md csv "+
		"mermaid plantuml dot graphviz warning note tip danger important caution "+
		"attention ", " "+lang+" ") && lang != ""
}

var (
	outputWords = regexp.MustCompile(`(?i)\b(?:output|response|result)s?\b[^,.]*$|\b(?:looks?|something|similar) ` +
		`(?:to|like)\b|\b(?:prints?|returns?|responds?|displays?|reports?)\b[^,.]{0,30}$` +
		`|\b(?:shows?|says)(?: this| that| the following| something)?:?$` +
		`|\b(?:should|will|may|might|can|you) (?:\w+ )?see\b|\b(?:fails|errors?|messages?)\b[^,.]{0,30}$|^expected\b`)
	typesThis = regexp.MustCompile(`(?i)\b(?:run|running|execut\w+|type|typing|issue|issuing|enter) ` +
		`(?:this|these|the following)\b`)
	dataChange = regexp.MustCompile(`(?im)^\s*(?:alter|create|drop|insert into|update|delete from|truncate|grant` +
		`|revoke|rename|replace into|merge into|reindex|vacuum|call|begin|commit)\b[^:]*;\s*$`)
	drawnLine = regexp.MustCompile(`(?m)^\s*[+|┌│╭├└╔║]|[├└]─|──`)
)

// outputIntro tells whether a sentence leads to what a program prints.
func outputIntro(sentence string) bool {
	s := plainText(sentence)
	return outputWords.MatchString(s) && !imperative(s) && !alsoDoes.MatchString(s) && !typesThis.MatchString(s)
}

// changesData tells whether a block holds a statement that changes a database.
func changesData(info, code string) bool {
	lang := language(info)
	return (lang == "" || strings.HasSuffix(lang, "sql")) && dataChange.MatchString(code)
}

// drawn tells whether a block is a table or a picture made of characters.
func drawn(code string) bool {
	first, _, _ := strings.Cut(code, "\n")
	return drawnLine.MatchString(code) || tableHead.MatchString(first)
}
