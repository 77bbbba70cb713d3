package runbook

import "regexp"

// role is what a section is for.
type role string

// The roles that are no phases.
const (
	rolePlain     role = ""
	roleBefore    role = "before"    // preflight or prepare, by what stands there
	roleAbout     role = "about"     // tells of the upgrade, holds no steps
	roleReference role = "reference" // is looked up, holds no steps of the way
	roleBack      role = "back"      // the way back
)

var (
	numbered = regexp.MustCompile(`(?i)^(?:step|part|phase)?\s*\d+(?:\.\d+)*\s*[.:)–-]\s*|^(?:step|part` +
		`|phase)\s+\d+\b\s*`)

	backHeading = regexp.MustCompile(`(?i)\broll(?:ing)?[ -]?back\b|\brevert(?:ing)?\b|\bback[ -]?out\b|\bdowngrad\w*` +
		`|\babort(?:ing)?\b|\bdisaster recovery\b|^(?:if|in case)\b.*\b(?:go(?:es)? wrong|fail\w*|problems?` +
		`|trouble)\b|^undo\b`)
	referenceHeading = regexp.MustCompile(`(?i)\btrouble[ -]?shoot\w*|\b(?:common|known|possible` +
		`|frequent) (?:issues?|problems?|errors?|failures?)\b` +
		`|\bfaqs?\b|\bfrequently asked\b|^(?:issues|problems|errors|references?|see also|further reading` +
		`|further information|glossary|contacts?|escalation|` +
		`(?:the )?release notes|change ?log|(?:revision|change|document) history|history|appendix\b.*|related\b.*` +
		`|links|authors?|support|getting help|` +
		`table of contents|contents|on this page|notes?)$`)
	aboutHeading = regexp.MustCompile(`(?i)^(?:introduction|overview|about\b.*|background|summary|scope|purpose` +
		`|audience|description|` +
		`context|motivation|goals?|what(?:['’]s| is) new\b.*|impact|terminology|architecture)$`)
	backupHeading = regexp.MustCompile(`(?i)\bback(?:ing)?[ -]?ups?\b|\bbacking\b.*\bup\b|\bback\b.*\bup\b` +
		`|\bsnapshots?\b|\bdump(?:s|ing)?\b`)
	beforeHeading = regexp.MustCompile(`(?i)^before\b|\bbefore you (?:begin|start|upgrade)\b|\bpre-?requisites?\b` +
		`|^requirements?\b|^assumptions?\b` +
		`|\bpre[ -]?(?:flight|checks?|upgrade|deploy\w*|install\w*|migration|work|maintenance)\b|\bprepar\w*` +
		`|^planning\b|^plan\b|^download\w*` +
		`|^(?:what )?you(?:['’]ll| will) need\b|^check ?list\b`)
	verifyHeading = regexp.MustCompile(`(?i)\bverif\w*|\bvalidat\w*|\bpost[ -]?(?:upgrade|deploy\w*|install\w*` +
		`|migration|flight|checks?)\b` +
		`|\b(?:smoke|sanity|acceptance|integration)[ -]?tests?\b|^test(?:s|ing)?\b|^confirm\w*|\bhealth[ -]?checks?\b` +
		`|^check(?:s|ing)?\b|\bchecks$`)
	cleanupHeading = regexp.MustCompile(`(?i)\bclean(?:ing)?[ -]?up\b|\btidy\w*|\bdecommission\w*` +
		`|\b(?:remov\w+|delet\w+|drop\w*) (?:the |all )?(?:old|former|obsolete|unused|previous|temporary)\b` +
		`|^when\b.*\bcomplete\b|^after\b.*\bcomplete\b`)
	quiesceHeading = regexp.MustCompile(`(?i)\bquiesc\w*|\bdrain\w*|^stop(?:ping)?\b|\bshut(?:ting)?[ -]?down\b` +
		`|\bspin(?:ning)? down\b` +
		`|\bscal\w+ (?:\w+ )*(?:down|to (?:zero|0))\b|^paus(?:e|ing)\b|^freez\w*|\bmaintenance (?:mode|page)\b` +
		`|^silenc\w*|^mut(?:e|ing)\b` +
		`|^disabl\w+ (?:\w+ )*(?:log-?ins?|access|traffic|alert\w*|monitoring|users?|sync\w*|autoscal\w*)\b` +
		`|\boffline\b|\b(?:user|active) sessions?\b`)
	resumeHeading = regexp.MustCompile(`(?i)^resum\w*|\bre-?enabl\w*|\bbring\w* (?:\w+ )*(?:up|back)\b|^restart\w*` +
		`|^start\b|^unfreez\w*|\bunpaus\w*` +
		`|\buncordon\w*|^enabl\w+ (?:\w+ )*(?:log-?ins?|access|traffic|alert\w*|monitoring|users?|sync\w*` +
		`|autoscal\w*)\b|\ball[ -]clear\b|\bre-?open\w*` +
		`|\bend (?:of )?maintenance\b|\bback online\b|\bun-?silenc\w*|\bunmut\w*`)
	upgradeHeading = regexp.MustCompile(`(?i)^(?:the )?(?:upgrad\w*|deploy\w*|migrat\w*|install\w*|roll[ -]?out` +
		`|maintenance window|during the .*)$`)
)

// roleOf tells from its heading what a section is for. The order decides where
// a heading says two things: "Before the work: a snapshot" is about backups.
func roleOf(heading string) role {
	h := numbered.ReplaceAllString(heading, "")
	switch {
	case referenceHeading.MatchString(h):
		return roleReference
	case aboutHeading.MatchString(h):
		return roleAbout
	case backHeading.MatchString(h):
		return roleBack
	case backupHeading.MatchString(h):
		return phaseBackup
	case beforeHeading.MatchString(h):
		return roleBefore
	case cleanupHeading.MatchString(h):
		return phaseCleanup
	case verifyHeading.MatchString(h):
		return phaseVerify
	case resumeHeading.MatchString(h):
		return phaseResume
	case quiesceHeading.MatchString(h):
		return phaseQuiesce
	case upgradeHeading.MatchString(h):
		return phaseUpgrade
	default:
		return rolePlain
	}
}

// The phases, which are roles too.
const (
	phasePrepare   role = "prepare"
	phasePreflight role = "preflight"
	phaseQuiesce   role = "quiesce"
	phaseBackup    role = "backup"
	phaseUpgrade   role = "upgrade"
	phaseVerify    role = "verify"
	phaseResume    role = "resume"
	phaseCleanup   role = "cleanup"
)

// phaseOrder returns the phases in the order in which a stage goes through them.
func phaseOrder() []role {
	return []role{
		phasePrepare, phasePreflight, phaseQuiesce, phaseBackup, phaseUpgrade, phaseVerify, phaseResume, phaseCleanup,
	}
}
