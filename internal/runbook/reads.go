package runbook

import (
	"regexp"
	"slices"
	"strings"
)

// unwrapped drops programs that start another one.
func unwrapped(words []string) []string {
	for len(words) > 1 {
		base := words[0]
		if !strings.Contains(" sudo time env nohup command nice watch xargs ", " "+base+" ") {
			return words
		}
		words = words[1:]
		for len(words) > 1 && (strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=")) {
			takes := strings.Contains(" -n -u -I -g -L -P -d ", " "+words[0]+" ") && base != "env"
			words = words[1:]
			if takes && len(words) > 1 {
				words = words[1:]
			}
		}
	}
	return words
}

// valueFlags are flags before a subcommand whose value is the next word.
const valueFlags = " -n --namespace --context --kubeconfig -m --model -c -C --kube-context --profile --region " +
	"--project -f -H --host -s --server -i -p --port "

// subcommands returns the words of a command that are neither flags nor, as far
// as can be told, their values.
func subcommands(words []string) []string {
	var out []string
	for i := 1; i < len(words); i++ {
		w := words[i]
		switch {
		case strings.HasPrefix(w, "-"):
			if len(out) == 0 && strings.Contains(valueFlags, " "+w+" ") {
				i++
			}
		default:
			out = append(out, w)
		}
	}
	return out
}

const (
	readers = " cat ls head tail grep egrep fgrep awk wc sort uniq cut tr jq echo printf date hostname df du ps id " +
		"whoami uname dig nslookup host ping " +
		"ss netstat test [ diff which pwd true lsblk free uptime column less more stat sha256sum md5sum " +
		"tree " // sed, yq, find and curl depend on flags
	readVerbs = " get list ls status version show describe view info inspect logs log history top explain diff " +
		"template lint search cluster-info " +
		"api-resources api-versions can-i whoami models events ps images current-context get-contexts is-active " +
		"list-units check wait " // wait changes nothing
	groupVerbs = " rollout auth config cluster app release repo snapshot backup endpoint member operator service " +
		"pods compute container iam sts s3 s3api rds "
)

// readsOnly tells whether a program is known to change nothing with these words.
// What is not known counts as a change.
func readsOnly(words []string) bool {
	base := words[0][strings.LastIndexByte(words[0], '/')+1:]
	subs := subcommands(words)
	has := func(flags string) bool {
		return slices.ContainsFunc(words[1:], func(w string) bool {
			name, _, _ := strings.Cut(w, "=")
			return strings.Contains(flags, " "+name+" ")
		})
	}
	switch base {
	case "curl", "wget":
		return curlReads(words)
	case "sed", "yq":
		return !slices.ContainsFunc(words[1:], func(w string) bool {
			return strings.HasPrefix(w, "-i") || strings.HasPrefix(w, "--in-place") || strings.HasPrefix(w, "--inplace")
		})
	case "find":
		return !has(" -delete -exec -execdir -ok -fprint ")
	case "awk", "sort":
		return !has(" -o --output ") && !strings.Contains(strings.Join(words, " "), "system(")
	case "cd", "sleep", "set":
		return true
	}
	if verbal(base) {
		return subcommandReads(base, subs)
	}
	if strings.Contains(readers, " "+base+" ") {
		return true
	}
	return len(words) == 2 && strings.Contains(" --version -V version --help ", " "+words[1]+" ")
}

// subcommandReads judges programs whose second word is a verb.
func subcommandReads(base string, subs []string) bool {
	if len(subs) == 0 {
		return false
	}
	verb := subs[0]
	if strings.Contains(groupVerbs, " "+verb+" ") && len(subs) > 1 {
		verb = subs[1]
		if base == "juju" || subs[0] == "service" && base != "gcloud" {
			return false
		}
	}
	switch {
	case base == "git":
		return strings.Contains(" status log diff show ", " "+verb+" ")
	case base == "vault" && verb == "read", base == "etcdctl" && verb == "endpoint", base == "rollout":
		return true
	case strings.HasPrefix(verb, "get-"), strings.HasPrefix(verb, "show-"), strings.HasPrefix(verb, "list-"),
		strings.HasPrefix(verb, "describe-"):
		return true
	default:
		return strings.Contains(readVerbs, " "+verb+" ")
	}
}

var curlWrites = regexp.MustCompile(`^(?:-d|--data.*|-F|--form.*|-T|--upload-file|--json|-o|-O|--output` +
	`|--remote-name|-K|--config|--post-.*|--method|-P|-r)$`)

// curlReads tells whether a request only asks, and stores nothing.
func curlReads(words []string) bool {
	stored := !slices.ContainsFunc(words, func(w string) bool { return w == "-qO-" || w == "-O-" || w == "--spider" })
	if stored && strings.HasSuffix(words[0], "wget") {
		return false
	}
	for i, w := range words[1:] {
		name, value, joined := strings.Cut(w, "=")
		method, short := strings.CutPrefix(w, "-X")
		switch {
		case name == "--request" && joined:
			method = value
		case (name == "--request" || w == "-X") && i+2 < len(words):
			method = words[i+2]
		case !short:
			if curlWrites.MatchString(name) || strings.HasPrefix(w, "-d") || strings.HasPrefix(w, "-F") {
				return false
			}
			continue
		}
		if v := strings.ToUpper(strings.Trim(method, `"'`)); v != "GET" && v != "HEAD" {
			return false
		}
	}
	return true
}

var changing = regexp.MustCompile(`^(?:delete|remove|rm|rmdir|apply|patch|scale|upgrade|install|uninstall|stop` +
	`|drain|cordon|undeploy|destroy|kill|` +
	`shutdown|reboot|restart|remove-.*|refresh|upgrade-.*|deploy|edit|replace|rollback|disable|mv|drop|truncate|exec)$`)

// changesThings tells whether a command says that it changes more than a copy.
func changesThings(words []string) bool {
	if changing.MatchString(words[0]) {
		return true
	}
	return slices.ContainsFunc(subcommands(words), changing.MatchString)
}

var nameWord = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// verbal tells whether the second word of a program is a verb.
func verbal(base string) bool {
	return strings.Contains(" kubectl oc helm juju docker podman systemctl git pachctl argocd flux vault velero "+
		"etcdctl istioctl gcloud aws az kubeadm restic consul crictl linkerd ", " "+base+" ")
}

// commandName makes a name for a step of the first words of its command; one word
// when these say little.
func commandName(words []string) string {
	const most = 3
	base := strings.TrimSuffix(words[0][strings.LastIndexByte(words[0], '/')+1:], ".sh")
	parts := []string{base}
	if !verbal(base) {
		return base
	}
	for _, w := range subcommands(words) {
		if !nameWord.MatchString(w) || len(parts) == most {
			break
		}
		parts = append(parts, w)
	}
	return strings.Join(parts, " ")
}

// firstWords names a text that cannot be read as a script.
func firstWords(text string) string {
	const most = 3
	words := strings.Fields(tokens.ReplaceAllString(text, ""))
	return strings.Join(words[:min(most, len(words))], " ")
}
