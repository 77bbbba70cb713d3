package runbook

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	cases := map[sentenceKind][]string{
		does: {
			"Stop the hub.", "Then, restart `nginx`:", "To run the upgrade, type this:", "First you need to patch the proxy:",
			"Re-deploy the service.", "1. Scale it down.", "In the values file, set the key to `x`.", "[ ] Drain the nodes",
			"Re-configure it and verify that it works.", "Ensure that it runs and execute this:",
		},
		looks: {
			"Verify that all pods run.", "Make sure to test it.", "You can verify it with:", "Check the changelog.",
			"You should see two pods:", "If you run two, make sure that both are new.", "Please ensure nobody works.",
			"Only proceed once it is there.", "Do not proceed until it is green.",
		},
		waits: {"Wait for ten minutes.", "Then wait until it is ready.", "Please wait a moment.", "Allow about 5 minutes for this."},
		cautions: {
			"Do not stop it.", "WARNING: nothing is kept", "**Warning**: slow.", "Please don't touch it.", "This cannot be undone.",
			"It is irreversible.", "You must not close the window.", "The index may get corrupted.", "Never restart both.",
		},
		says: {
			"The hub is a program.", "Upgrade notes are below.", "See the documentation.",
			"Important numbers stand on the wall.", "They do not need it.", "Backup: where copies are", "Release 0.5 is old.",
			"Do you have one?",
		},
	}
	for kind, list := range cases {
		for _, s := range list {
			got := kindOf(s)
			if s == "Ensure that it runs and execute this:" {
				kind = says // two things in one: the command that follows decides
			}
			if got != kind {
				t.Errorf("kindOf(%q) = %d, want %d", s, got, kind)
			}
		}
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"Stop it. Start it!":                  {"Stop it.", "Start it!"},
		"Use e.g. Helm. Or v1.2.3 of it.":     {"Use e.g. Helm.", "Or v1.2.3 of it."},
		"See [a. B](x. Y). `a. B` is code.":   {"See [a. B](x. Y).", "`a. B` is code."},
		"It is v3.Synchronize it. it goes on": {"It is v3.Synchronize it. it goes on"},
		"It runs.Synchronize it.":             {"It runs.", "Synchronize it."},
		"**Stop.** Go.":                       {"**Stop.**", "Go."},
		"":                                    nil,
	} {
		if diff := cmp.Diff(want, sentences(text)); diff != "" {
			t.Errorf("sentences(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestRoleOf(t *testing.T) {
	t.Parallel()
	for heading, want := range map[string]role{
		"Before you begin": roleBefore, "Prerequisites": roleBefore, "Pre-upgrade checks": roleBefore, "Preparing the nodes": roleBefore,
		"Before the work: a snapshot": phaseBackup, "Back up the database": phaseBackup, "Take a snapshot": phaseBackup,
		"1. Spin down the shop": phaseQuiesce, "Disable user logins": phaseQuiesce, "Drain": phaseQuiesce,
		"Upgrade": phaseUpgrade, "Deployment": phaseUpgrade, "Upgrade the workers": rolePlain, "Step 3: the proxy": rolePlain,
		"Verify the upgrade": phaseVerify, "Smoke test": phaseVerify, "Post-upgrade checks": phaseVerify,
		"Post-upgrade cleanup": phaseCleanup, "Remove the old charts": phaseCleanup, "When the move is complete": phaseCleanup,
		"Bring the shop back": phaseResume, "Re-enable monitoring": phaseResume, "Uncordon the nodes": phaseResume,
		"Rolling back the shop": roleBack, "If something goes wrong": roleBack, "Troubleshooting": roleReference, "Known issues": roleReference,
		"Common problems": roleReference, "Introduction": roleAbout, "Overview": roleAbout, "The database": rolePlain,
	} {
		if got := roleOf(heading); got != want {
			t.Errorf("roleOf(%q) = %q, want %q", heading, got, want)
		}
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"kubectl get pods -A":                            true,
		"kubectl -n a get pods | grep b | awk '{print}'": true,
		"kubectl get pvc -o name | xargs kubectl delete": false,
		"kubectl exec a -- ls":                           false,
		"kubectl rollout status deploy/a":                true,
		"kubectl rollout restart deploy/a":               false,
		"kubectl apply -f a":                             false,
		"helm list":                                      true,
		"helm upgrade a b":                               false,
		"juju status --relations":                        true,
		"juju config a b=c":                              false,
		"curl https://a/b":                               true,
		"curl -X GET https://a":                          true,
		"curl -XDELETE https://a":                        false,
		"curl --request POST https://a":                  false,
		"curl -d a=b https://a":                          false,
		"curl -o a https://a":                            false,
		"wget https://a":                                 false,
		"wget -qO- https://a":                            true,
		"cat a > b":                                      false,
		"cat a 2>/dev/null":                              true,
		"cat a 2>b":                                      false,
		"cat a >/dev/null":                               true,
		"sed -i s/a/b/ f":                                false,
		"sed s/a/b/ f":                                   true,
		"find . -delete":                                 false,
		"find . -name a":                                 true,
		"sudo systemctl status a":                        true,
		"sudo -u ann systemctl stop a":                   false,
		"systemctl stop a":                               false,
		"./status.sh":                                    false,
		"mytool --version":                               true,
		"mytool get":                                     false,
		"echo $(rm -rf a)":                               false,
		"helm list && helm uninstall a":                  false,
		"f() { rm a; }; f":                               false,
		"git log":                                        true,
		"git checkout a":                                 false,
		"bash -c 'kubectl get pods'":                     false,
		"eval ls":                                        false,
	} {
		in := &inputs{}
		if c := in.read(text, 1, map[string]bool{}); c.reads != want {
			t.Errorf("%s: reads is %v, want %v", text, c.reads, want)
		}
	}
}

func TestInputs(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text, shows, script string
		argv                []string
		ready               bool
	}{
		"Angle":     {"helm upgrade <YOUR-RELEASE> a", "helm upgrade {release} a", `helm upgrade "$RELEASE" a`, []string{"helm", "upgrade", "{release}", "a"}, true},
		"Spaces":    {"ping <first node IP>", "ping {first_node_ip}", `ping "$FIRST_NODE_IP"`, []string{"ping", "{first_node_ip}"}, true},
		"Redirect":  {"a <in >out", "a <in >out", "a <in >out", nil, true},
		"Variable":  {"echo $VERSION ${TAG}", "echo {version} {tag}", "echo $VERSION ${TAG}", []string{"echo", "{version}", "{tag}"}, true},
		"Set":       {"V=1; echo $V", "V=1; echo $V", "V=1; echo $V", nil, true},
		"Default":   {"echo ${A:-b}", "echo ${A:-b}", "echo ${A:-b}", nil, true},
		"Shells":    {"cd $HOME", "cd $HOME", "cd $HOME", nil, true},
		"Single":    {`a '<x> y'`, `a '{x} y'`, `a ''"$X"' y'`, []string{"a", "{x} y"}, true},
		"Double":    {`a "<x> y"`, `a "{x} y"`, `a "${X} y"`, []string{"a", "{x} y"}, true},
		"Braces":    {"a {{ x }} {{ .Name }} {{end}}", "a {x} {{ .Name }} {{end}}", `a "$X" {{ .Name }} {{end}}`, nil, true},
		"Upper":     {"a -n NAMESPACE --x=MY_NAME GET", "a -n {namespace} --x={name} GET", `a -n "$NAMESPACE" --x="$NAME" GET`, []string{"a", "-n", "{namespace}", "--x={name}", "GET"}, true},
		"Unknown":   {"SIZE=????\na $SIZE", "SIZE={size}\na $SIZE", "SIZE=\"$SIZE\"\na $SIZE", nil, true},
		"Heredoc":   {"a <<E\n<x> $Y_Z\nE", "a <<E\n{x} {y_z}\nE", "a <<E\n${X} $Y_Z\nE", nil, true},
		"Quoted":    {"a <<'E'\n<x>\nE", "a <<'E'\n{x}\nE", "a <<'E'\n${X}\nE", nil, false},
		"Glob":      {"ls *.txt", "ls *.txt", "ls *.txt", nil, true},
		"Continued": {"a \\\n  b", "a \\\n  b", "a \\\n  b", []string{"a", "b"}, true},
		"NotShell":  {"if true; then", "if true; then", "if true; then", nil, false},
		"Secret":    {"a --x=$DB_PASSWORD", "a --x=$DB_PASSWORD", "a --x=$DB_PASSWORD", nil, true},
	}
	braces := strings.NewReplacer(string(tokenStart), "{", string(tokenEnd), "}")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := &inputs{}
			c := in.read(tc.text, 1, assignments(tc.text))
			argv := slices.Clone(c.argv)
			for i := range argv {
				argv[i] = braces.Replace(argv[i])
			}
			if diff := cmp.Diff([]any{tc.shows, tc.script, tc.argv, tc.ready},
				[]any{braces.Replace(c.shows), c.script, argv, c.ready}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestHide(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text, want string
		code       bool
	}{
		"Flag":      {"a --password=hunter2 --x", "a --password=[password] --x", true},
		"FlagSpace": {"a --api-key hunter2", "a --api-key [api_key]", true},
		"Quoted":    {`a --token "hunter 2"`, `a --token "[token]"`, true},
		"Env":       {"AWS_SECRET_ACCESS_KEY=abc x", "AWS_SECRET_ACCESS_KEY=[aws_secret_access_key] x", true},
		"Yaml":      {"db:\n  password: abc", "db:\n  password: [password]", true},
		"JSON":      {`{"token": "abc"}`, `{"token": "[token]"}`, true},
		"URL":       {"curl https://ann:abc@host/", "curl https://ann:[password]@host/", true},
		"Header":    {"-H 'Authorization: Bearer abc'", "-H 'Authorization: Bearer [token]'", true},
		"User":      {"curl -u ann:abc host", "curl -u ann:[password] host", true},
		"MySQL":     {"mysql -u root -pabc db", "mysql -u root -p[password] db", true},
		"Known":     {"use ghp_abcdefghijklmnopqrstuv now", "use [token] now", false},
		"Key":       {"-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\nb", "[private_key]\nb", true},
		"Variable":  {"a --password=$P --token <TOKEN> --secret {{ x }}", "a --password=$P --token <TOKEN> --secret {{ x }}", true},
		"Name":      {"kubectl get secret token -o yaml", "kubectl get secret token -o yaml", true},
		"Create":    {"kubectl create secret generic a", "kubectl create secret generic a", true},
		"Prose":     {"The password is set by Ann. hub_password : the password of the hub.", "The password is set by Ann. hub_password : the password of the hub.", false},
		"ProseIs":   {"The password is hunter2.", "The password is [password]", false},
		"Inline":    {"Type `login --password=hunter2` now.", "Type `login --password=[password]` now.", false},
		"Config":    {"juju config shop secret-key", "juju config shop secret-key", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &hider{shows: func(name string) string { return "[" + name + "]" }}
			if got := h.hide(tc.text, tc.code); got != tc.want {
				t.Errorf("hide(%q) = %q, want %q", tc.text, got, tc.want)
			}
		})
	}
}

func TestTyped(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ info, code, in, out string }{
		"Loop":       {"console", "$ for i in a b; do\n>   drain $i\n> done\nok", "for i in a b; do\n  drain $i\ndone", "ok"},
		"LoopBare":   {"", "$ for i in a; do\n  drain $i\ndone\nok", "for i in a; do\n  drain $i\ndone", "ok"},
		"Quote":      {"", "$ a 'b\n> c'\nok", "a 'b\nc'", "ok"},
		"Markdown":   {"", "$ a\n> ok", "a", "> ok"},
		"Apostrophe": {"", "$ echo it's\nStopping\nDone\n$ b", "echo it's\nb", "Stopping\nDone"},
		"Indented":   {"", "  $ a\n  ok\n  $ b <<E\n  x: y\n  E\n  done", "a\nb <<E\nx: y\nE", "  ok\n  done"},
		"Endless":    {"", "$ a <<E\nx: y\n$ b", "a <<E\nx: y\nb", ""},
		"HereString": {"", "$ a <<<E\nok\nE", "a <<<E", "ok\nE"},
		"LoopOfDocs": {"", "$ for i in a; do\n> b <<E\n> x\n> E\n> done\nok", "for i in a; do\nb <<E\nx\nE\ndone", "ok"},
		"Prompts":    {"", "$ a\nb\n$ c \\\n  d\ne", "a\nc \\\n  d", "b\ne"},
		"User":       {"", "ann@host:~/x$ a\nb", "a", "b"},
		"Brackets":   {"", "[root@host ~]# a\nb", "a", "b"},
		"Root":       {"console", "# systemctl stop a\nb", "systemctl stop a", "b"},
		"Comment":    {"sh", "# stop it\nsystemctl stop a", "# stop it\nsystemctl stop a", ""},
		"Table":      {"sh", "a version\nCOMPONENT   VERSION\na           1", "a version", "COMPONENT   VERSION\na           1"},
		"Heredoc":    {"", "$ cat <<E\n> x\n> E\nout", "cat <<E\nx\nE", "out"},
		"NoPrompts":  {"", "a\nb", "a\nb", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, in, out := typed(tc.info, tc.code)
			if diff := cmp.Diff([]string{tc.in, tc.out}, []string{in, out}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		info, code string
		want       fenceKind
	}{
		"Shell":    {"bash", "anything at all", fenceCommands},
		"Yaml":     {"yaml", "kubectl: x", fenceFile},
		"Wrong":    {"python", "juju switch a\njuju status", fenceCommands},
		"Python":   {"python", "import os\nprint(os)", fenceText},
		"None":     {"", "kubectl get pods", fenceCommands},
		"Prompt":   {"text", "$ mytool x", fenceCommands},
		"Manifest": {"", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a", fenceFile},
		"JSON":     {"", `{"a": 1}`, fenceFile},
		"Error":    {"", `Error from server: secrets "a" already exists`, fenceText},
		"Output":   {"text", "NAME  STATUS\nn1    Ready", fenceText},
		"Assign":   {"", "A=$(hostname)", fenceCommands},
		"Script":   {"", "./install --now", fenceCommands},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := classify(tc.info, tc.code); got != tc.want {
				t.Errorf("classify(%q, %q) = %d, want %d", tc.info, tc.code, got, tc.want)
			}
		})
	}
}

func TestMayBeTyped(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"mytool upgrade --now":          true,
		"mytool stop\nmytool start <x>": true,
		"Error: no such thing":          false,
		"The hub is old.":               false,
		"a: b\nc: d":                    false,
		"NAME  STATUS\nn1    Ready":     false,
		"if (":                          false,
	} {
		if got := mayBeTyped("", code); got != want {
			t.Errorf("mayBeTyped(%q) = %v, want %v", code, got, want)
		}
	}
	if mayBeTyped("text", "mytool upgrade") {
		t.Error("a block that says it is text is taken as commands")
	}
}
