package runbook

import (
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// fenceKind says what a block of code is.
type fenceKind int

const (
	fenceCommands fenceKind = iota // something to type
	fenceFile                      // something to write into a file
	fenceText                      // something that a program prints, or an example
)

// language is what a fence says about its content.
func language(info string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(info), " ")
	return strings.ToLower(strings.Trim(word, "{}.,"))
}

func shellLanguage(lang string) bool {
	return strings.Contains(" sh bash shell zsh ksh console shell-session shellsession sh-session bash-session "+
		"terminal "+
		"cmd commandline command-line powershell ps1 fish ", " "+lang+" ") && lang != ""
}

// consoleLanguage tells whether a fence shows a terminal, with prompts and output.
func consoleLanguage(lang string) bool {
	return strings.Contains(" console shell-session shellsession sh-session bash-session "+
		"terminal ", " "+lang+" ") && lang != ""
}

func fileLanguage(lang string) bool {
	return strings.Contains(" yaml yml json json5 toml ini xml hcl terraform tf dockerfile containerfile nginx "+
		"conf cfg properties "+
		"env dotenv diff patch sql jinja jinja2 cue jsonnet kustomize go java javascript js typescript ts html css "+
		"groovy ruby php rust c cpp "+
		"makefile systemd service ", " "+lang+" ") && lang != ""
}

// classify tells what a block of code is: by its language where that can be
// believed, else by what stands there.
func classify(info, code string) fenceKind {
	lang := language(info)
	switch {
	case shellLanguage(lang):
		return fenceCommands
	case fileLanguage(lang):
		return fenceFile
	}
	lines := nonBlank(code)
	if len(lines) == 0 {
		return fenceText
	}
	for _, line := range lines {
		if promptOf(line, false) != "" {
			return fenceCommands
		}
	}
	if looksTyped(lines) {
		return fenceCommands
	}
	if strings.HasPrefix(lines[0], "#!") || looksWritten(lines) {
		return fenceFile
	}
	return fenceText
}

func nonBlank(code string) []string {
	var out []string
	for line := range strings.SplitSeq(code, "\n") {
		if strings.TrimSpace(line) != "" {
			out = append(out, line)
		}
	}
	return out
}

var (
	assignLine = regexp.MustCompile(`^(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*=`)
	commandTwo = regexp.MustCompile(`^(?:sudo\s+(?:-\S+\s+)*)?([a-z][a-z0-9_.-]*)(?:\s|$)`)
	keyLine    = regexp.MustCompile(`^\s*(?:-\s+)?["']?[\w./-]+["']?\s*:(?:\s|$)|^\s*-\s+\S|^\s*[\]{}\[]+,?\s*$` +
		`|^\s*#|^\s*<[/\w!?]|^\s*[\w.-]+\s*=\s*\S|^\[[\w.-]+\]$`)
	scriptPath = regexp.MustCompile(`^(?:sudo\s+)?(?:\./|/)[\w./-]+(?:\s|$)`)
)

// looksTyped tells whether the first line of a block is a command.
func looksTyped(lines []string) bool {
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if assignLine.MatchString(line) && strings.ContainsAny(line, "$?\"'`") || scriptPath.MatchString(line) {
			return true
		}
		m := commandTwo.FindStringSubmatch(line)
		return m != nil && program(m[1]) && !strings.HasPrefix(line[len(m[1]):], ":")
	}
	return false
}

var typedLine = regexp.MustCompile(`^\s*(?:[a-z./~][\w./~-]*(?:\s+[^\s:][^:]*[^\s.:;!?])?|\w.*\\|#.*|\s.*)$`)

// mayBeTyped tells whether a block without a language could be commands of a program
// that is not known.
func mayBeTyped(info, code string) bool {
	lines := nonBlank(code)
	for _, line := range lines {
		if !typedLine.MatchString(line) {
			return false
		}
	}
	if language(info) != "" || len(lines) == 0 || looksWritten(lines) {
		return false
	}
	_, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(code), "")
	return err == nil || anglePlace.MatchString(code)
}

// looksWritten tells whether most lines of a block are those of a file.
func looksWritten(lines []string) bool {
	hits := 0
	for _, line := range lines {
		if keyLine.MatchString(line) {
			hits++
		}
	}
	first := strings.TrimSpace(lines[0])
	if len(lines) == 1 {
		return strings.HasPrefix(first, "{") || regexp.MustCompile(`^[\w.-]+:\s+\S+$`).MatchString(first)
	}
	return hits*10 >= len(lines)*7
}

// program tells whether a word is the name of a program that runbooks use.
func program(word string) bool { return strings.Contains(programs+ambiguous, " "+word+" ") }

const programs = " kubectl oc helm helmfile juju juju-wait docker podman nerdctl crictl ctr systemctl service " +
	"journalctl apt apt-get aptitude " +
	"yum dnf apk snap brew pip pip3 conda npm yarn npx curl wget git gh ssh scp sftp rsync sudo psql pg_dump " +
	"pg_dumpall pg_restore pg_ctl mysql mysqldump mariadb " +
	"mongodump mongorestore mongo mongosh redis-cli sqlite3 terraform tofu ansible ansible-playbook argocd flux " +
	"vault consul etcdctl kubeadm kops " +
	"eksctl gcloud gsutil aws az doctl linode-cli pachctl velero restic istioctl linkerd kustomize skaffold k3s " +
	"rke minikube kind jq yq " +
	"microk8s openssl keytool cmctl kubens kubectx jupyterhub tljh-config mc rabbitmqctl cqlsh nodetool " +
	"kafka-topics.sh python python3 " +
	"chmod chown mkdir rmdir tar gzip gunzip unzip zip sed awk grep xargs nohup tmux crontab lvcreate mount umount " +
	"df du lsblk dig nslookup ping nc netstat ss "

// ambiguous are programs whose names are words too, or builtins.
const ambiguous = " cat cp mv rm ln ls cd echo printf export source set unset make test find watch time which " +
	"kill killall sort cut head tail tee touch wc " +
	"sleep for while if until true false exit date env eval exec read diff host hostname id install less more " +
	"reboot shutdown top tree uname uptime w who yes bash sh zsh "

var sentenceEnd = regexp.MustCompile(`[.:!?]$|[.!?] [A-Z]`)

// bareCommands tells whether all lines of a paragraph are commands.
func bareCommands(lines []string) bool {
	for _, line := range lines {
		m := commandTwo.FindStringSubmatch(line)
		if m == nil || !strings.Contains(programs, " "+m[1]+" ") || sentenceEnd.MatchString(line) ||
			len(strings.Fields(line)) < 2 || strings.ContainsAny(line, "`") {
			return false
		}
		if first := strings.Fields(strings.TrimPrefix(line, m[0])); len(first) > 0 && proseWord.MatchString(first[0]) {
			return false
		}
	}
	return len(lines) > 0
}

var proseWord = regexp.MustCompile(`^(?:is|are|was|will|can|should|must|may|has|have|does|to|and|or|the|a|an|in` +
	`|on|of|for|with|command|commands|itself)$`)

var (
	userPrompt = regexp.MustCompile(`^\s*((?:\([\w.-]+\)\s*)?(?:[\w.-]+@[\w.-]+(?:[: ][^\s$#%]*)?\s?[$#%]` +
		`|\[[^\]\s]+@[^\]]+\]\s?[$#]|\$|❯|➜|PS [^>\n]*>))(?:\s+|$)`)
	rootPrompt = regexp.MustCompile(`^\s*([#%])\s+`)
	tableHead  = regexp.MustCompile(`^[A-Z][A-Z0-9()%/_-]*(?:(?: [A-Z][A-Z0-9()%/_-]*)*` +
		`\s{2,}[A-Z][A-Z0-9()%/_-]*)+\s*$`)
)

// promptOf returns the prompt with which a line begins, the space behind it
// included; root says that # is one too.
func promptOf(line string, root bool) string {
	if m := userPrompt.FindString(line); m != "" {
		return m
	}
	if root {
		return rootPrompt.FindString(line)
	}
	return ""
}
