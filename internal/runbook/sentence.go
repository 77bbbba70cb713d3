package runbook

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

func itoa(n int) string { return strconv.Itoa(n) }

// sentenceKind says what a sentence asks for.
type sentenceKind int

const (
	says     sentenceKind = iota // it tells something
	does                         // somebody has to do something
	looks                        // somebody has to look whether something is so
	waits                        // something takes its time
	cautions                     // somebody has to keep something in mind
)

var (
	mdImage = regexp.MustCompile(`!\[([^\]]*)\]\([^)]*\)`)
	mdLink  = regexp.MustCompile(`\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])`)
	mdMarks = regexp.MustCompile("[*`]+|\\b_+|_+\\b|~~")
	mdTag   = regexp.MustCompile(`</?[a-z][a-z0-9]*(?:\s[^>]*)?/?>`)
)

// plainText returns the words of a line of Markdown without its marks.
func plainText(s string) string {
	s = mdImage.ReplaceAllString(s, "$1")
	s = mdLink.ReplaceAllString(s, "$1")
	s = mdTag.ReplaceAllString(s, "")
	s = mdMarks.ReplaceAllString(s, "")
	s = taskItem.ReplaceAllString(strings.TrimSpace(s), "")
	return strings.Join(strings.Fields(s), " ")
}

var abbreviation = regexp.MustCompile(`(?i)(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|resp|no|fig|sec|min|max` +
	`|incl|ca)\.$`)

// sentences splits a paragraph. Code and links are never split.
func sentences(text string) []string {
	var out []string
	inCode, depth, start := false, 0, 0
	runes := []rune(text)
	for i, r := range runes {
		switch r {
		case '`':
			inCode = !inCode
		case '[', '(':
			depth++
		case ']', ')':
			depth = max(0, depth-1)
		}
		if inCode || depth > 0 || !strings.ContainsRune(".!?", r) {
			continue
		}
		end := i + 1
		for end < len(runes) && strings.ContainsRune("\"'”’)*_", runes[end]) {
			end++
		}
		if !begins(runes, i, end) || abbreviation.MatchString(string(runes[max(start, i-12):i+1])) {
			continue
		}
		if s := strings.TrimSpace(string(runes[start:end])); s != "" {
			out = append(out, s)
		}
		start = end
	}
	if s := strings.TrimSpace(string(runes[min(start, len(runes)):])); s != "" {
		out = append(out, s)
	}
	return out
}

// begins tells whether a sentence begins behind a full stop at dot: behind space
// with something that may begin one, or, where a copy lost the space, with a
// capital letter behind a small one.
func begins(runes []rune, dot, end int) bool {
	if end >= len(runes) {
		return false
	}
	if !unicode.IsSpace(runes[end]) {
		lost := end+1 < len(runes) && unicode.IsUpper(runes[end]) && unicode.IsLower(runes[end+1])
		return lost && dot > 0 && unicode.IsLower(runes[dot-1])
	}
	for end < len(runes) && unicode.IsSpace(runes[end]) {
		end++
	}
	if end >= len(runes) {
		return false
	}
	r := runes[end]
	return unicode.IsUpper(r) || unicode.IsDigit(r) || strings.ContainsRune("`*_[<\"'“(", r) || r > unicode.MaxASCII
}

var (
	waitWords = regexp.MustCompile(`(?i)^(?:(?:please|then|now|next|and|finally|and then)[, ]+)*wait\b` +
		`|\bwait (?:for|until|till|a|an|at least|about|some|\d)` + `|^(?:please )?(?:allow|give it) (?:at least ` +
		`|about |up to )?\w+ (?:seconds|minutes|hours)`)
	lookStart = regexp.MustCompile(`(?i)^(?:(?:please|then|now|next|first|also|always|and|finally|again` +
		`|you (?:should|must|can|need to)|` +
		`(?:before|after|once|when|if|to)\b[^,.]{0,90},)[, ]+)*` +
		`(?:verify|check|double-check|confirm|ensure|make sure|be sure|validate|test (?:that|whether|if|the)|review` +
		`|inspect|compare|monitor|look (?:at|for|whether)|observe)\b`)
	lookWords = regexp.MustCompile(`(?i)\bmake sure\b|\b(?:verify|ensure|confirm) (?:that|the|this|it|you|your)\b` +
		`|\byou can (?:confirm|verify|check)\b` +
		`|\bshould (?:now |then |also )*(?:see|return|show|print|report|output|display)\b` +
		`|\b(?:only|do not) (?:proceed|continue)\b|\bproceed only\b|\bbefore (?:proceeding|continuing|you (?:proceed` +
		`|continue))\b`)
	cautionStart = regexp.MustCompile(`^[^\w]*(?:WARNING|CAUTION|DANGER|IMPORTANT|ATTENTION|CRITICAL)\b` +
		`|(?i)^[^\w]*(?:warning|caution|danger|important|attention|critical)\s*[:!–—-]` +
		`|^(?:beware|be (?:very )?careful)\b`)
	cautionWords = regexp.MustCompile(`(?i)(?:^|[:;,.(–—]\s*|\b(?:please|and|but|then|so|should` +
		`|must)\s+)[*_]*(?:do not|don['’]t|never)\b` +
		`|\b(?:must|should|can) never\b|\b(?:must not|mustn['’]t)\b|\b(?:cannot|can['’]t|can not) be (?:undone` +
		`|reversed|recovered|restored|rolled back)\b` +
		`|\birreversibl\w*|\bnot reversible\b`)
	// riskWords say that something bad may come of it; what to do about it may be said as well.
	riskWords = regexp.MustCompile(`(?i)\b(?:data loss|lose (?:all )?data|loss of data|lost data)\b|\bcorrupt(?:s` +
		`|ed|ion)?\b` +
		`|\bdestroys?\b|\bdestructive\b|\bbe (?:very )?careful\b|\bbeware\b|\bwarning\b.*!`)
	noAction = regexp.MustCompile(`(?i)^(?:do|does|did) (?:you|it|they|we)\b`)
	alsoDoes = regexp.MustCompile(`(?i)\band (?:then )?(?:execute|run|apply|delete|remove|restart|start|copy` +
		`|issue)\b`)
	onlyProceed = regexp.MustCompile(`(?i)\b(?:do not|don['’]t) (?:proceed|continue)\b`)
)

// kindOf tells what a sentence asks for.
func kindOf(sentence string) sentenceKind {
	s := plainText(sentence)
	switch {
	case onlyProceed.MatchString(s):
		return looks
	case cautionStart.MatchString(s) || cautionWords.MatchString(s):
		return cautions
	case waitWords.MatchString(s):
		return waits
	case lookStart.MatchString(s) && !alsoDoes.MatchString(s):
		return looks
	case imperative(s):
		return does
	case riskWords.MatchString(s):
		return cautions
	case lookWords.MatchString(s) && !alsoDoes.MatchString(s):
		return looks
	default:
		return says
	}
}

var leadIn = regexp.MustCompile(`(?i)^(?:(?:please|then|now|next|first|second|third|lastly|finally|afterwards` +
	`|also|always|again|and|or|manually|` +
	`you (?:should|must|need to|have to|will need to|can now|may)|(?:first )?you need to|we (?:need to|must)|` +
	`(?:to|after|before|once|when|if|in|on|for|from|with|using|during|as)\b[^,.]{1,120},|step \d+[.:]?|\d+[.)]` +
	`|\(\w\))[, ]*)*`)

// nounFirst matches sentences whose first word is a noun that is a verb elsewhere.
var nounFirst = regexp.MustCompile(`(?i)^[\w-]+(?: [\w.-]+){0,2} (?:will|is|are|was|were|can|should|must|has` +
	`|have|had|may|might|contains?|includes?|` +
	`requires?|needs|takes|involves|covers|works)\b|^[\w-]+ \d`)

// imperative tells whether a sentence says what to do: it begins with a verb that
// upgrades are made of.
func imperative(sentence string) bool {
	s := plainText(sentence)
	if noAction.MatchString(s) {
		return false
	}
	rest := s[len(leadIn.FindString(s)):]
	word, _, _ := strings.Cut(rest, " ")
	if word != rest && strings.HasSuffix(word, ":") || nounFirst.MatchString(rest) {
		return false // "Backup: where copies are", "Upgrade notes are below"
	}
	return doVerb(word)
}

// doVerb tells whether a word is the verb of an instruction.
func doVerb(word string) bool {
	word = strings.ToLower(strings.TrimRight(word, ".,:;!"))
	if rest, again := strings.CutPrefix(word, "re-"); again {
		word = rest
	}
	return strings.Contains(verbs, " "+word+" ") && word != ""
}

const verbs = " add adjust announce append apply approve archive assign attach back backup begin block boot " +
	"build bump call cancel change " +
	"clean clear click clone close commit communicate configure connect convert copy cordon create cut " +
	"decommission define delete deploy " +
	"destroy detach disable disconnect dismiss do downgrade download downscale drain drop dump edit eject email " +
	"empty enable enter erase " +
	"establish evict execute expand export extract failover fetch fill flip flush follow force format freeze " +
	"generate get give go grant halt " +
	"import increase inform initialize initiate insert install invoke issue join kill label launch let list load " +
	"lock log login make mark " +
	"merge migrate modify mount move mute navigate notify obtain open override patch pause perform pin place point " +
	"post " +
	"prepare promote provision " +
	"pull purge push put quiesce read reboot rebuild reconfigure reconnect record recover recreate redeploy " +
	"redirect reduce reenable refresh " +
	"reinstall relabel relate release reload remove rename render repeat replace repoint request rerun reset " +
	"resize resolve restart restore " +
	"resume resync retrieve revert revoke roll rollback rollout rotate run save scale schedule select send set " +
	"ship shut shutdown sign " +
	"silence snapshot spin stage start stop store submit suspend swap switch sync synchronise synchronize tag take " +
	"taint tar tear tell " +
	"terminate toggle transfer trigger truncate turn type uncordon undeploy uninstall unlock unmount unmute unpack " +
	"unpause unset untaint " +
	"update upgrade upload use vacuum visit wipe write "

// summaryOf shortens a text to one line for listings.
func summaryOf(text string) string {
	const longest = 72
	s := numbered.ReplaceAllString(plainText(text), "")
	if all := sentences(s); len(all) > 0 {
		s = all[0]
	}
	s = strings.TrimRight(strings.TrimSpace(s), ".:;,")
	runes := []rune(s)
	if len(runes) <= longest {
		return s
	}
	s = string(runes[:longest])
	if i := strings.LastIndexByte(s, ' '); i > longest/2 {
		s = s[:i]
	}
	return strings.TrimRight(s, " ,;:.") + " …"
}

// slug makes an id of a text: lower case letters, digits and dashes, the first a
// letter, cut behind a word. It may be empty.
func slug(text string, longest int) string {
	var b strings.Builder
	for _, r := range strings.ToLower(plainText(text)) {
		switch {
		case r >= 'a' && r <= 'z', b.Len() > 0 && r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && r != '\'' && r != '’' && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() > 4*longest {
			break
		}
	}
	s := strings.Trim(b.String(), "-")
	if len(s) > longest {
		s = s[:longest+1]
		if i := strings.LastIndexByte(s, '-'); i > longest/3 {
			s = s[:i]
		}
		s = strings.Trim(s[:min(len(s), longest)], "-")
	}
	return s
}
