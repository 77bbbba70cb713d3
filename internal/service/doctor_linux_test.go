package service_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/disk/disktest"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/probe/watch"
	secretpkg "github.com/refitproject/refit/internal/secret"
	"github.com/refitproject/refit/internal/service"
)

// patient is what doctor examines in these tests.
type patient struct {
	state    string
	now      func() time.Time
	lookPath func(string) (string, error)
	environ  []string
	// program is what probes are measured with; empty for none.
	program string
	request service.DoctorRequest
}

// examine returns what doctor finds, by name, as "outcome Reason: message → remedy".
func examine(t *testing.T, p patient) map[string]string {
	t.Helper()
	clients := all.NewClients(append(p.environ, "PATH="+os.Getenv("PATH")))
	registry, err := action.NewRegistry(all.Actions(clients), all.TargetKinds(clients))
	if err != nil {
		t.Fatal(err)
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.lookPath == nil {
		p.lookPath = func(name string) (string, error) { return "/bin/" + name, nil }
	}
	probes := service.Probes{Programs: clients.Programs}
	if p.program != "" {
		probes.Try = func(ctx context.Context) error { return watch.TryDetach(ctx, p.program, []string{"refit"}) }
	}
	s, err := service.New(service.Options{
		Registry: registry, Shipped: fstest.MapFS{}, Version: "v1", StateDir: p.state, Now: p.now, LookPath: p.lookPath,
		Progress: func(service.Note) {}, Stores: clients.Archive.Stores,
		Secrets: secretpkg.Resolver{Environ: p.environ, Programs: clients.Programs},
		Probes:  probes,
	})
	if err != nil {
		t.Fatal(err)
	}
	result, err := s.Doctor(t.Context(), p.request)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range result.Findings {
		out[f.Name] = fmt.Sprintf("%s %s: %s → %s", f.Outcome, f.Reason, f.Message, f.Remedy)
		if f.Outcome == plan.Pass && f.Remedy != "" || f.Outcome == plan.Fail && result.Healthy() {
			t.Errorf("%s: %s", f.Name, out[f.Name])
		}
	}
	for _, n := range result.Notes {
		out[n.Name] = fmt.Sprintf("note %s → %s", n.Message, n.Remedy)
	}
	return out
}

// TestDoctorWorlds makes real worlds in which something is missing. They fail for the
// superuser too.
func TestDoctorWorlds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		patient func(t *testing.T) patient
		want    map[string]string
	}{
		"Well": {
			"Nothing is missing.",
			func(t *testing.T) patient {
				t.Helper()
				return patient{state: t.TempDir() + "/state"}
			},
			map[string]string{"state": "pass StateAbsent", "state/locks": "pass LocksGood", "clock": "pass ClockGood", "program/sh": "pass ProgramFound", "program/helm": "note helm is not needed: no action of this program starts it"},
		},
		"Full": {
			"On a full disk nothing can be written down.",
			func(t *testing.T) patient {
				t.Helper()
				dir := disktest.Small(t, "1m")
				_ = os.WriteFile(dir+"/big", make([]byte, 2<<20), 0o600) // as much as there is room for
				return patient{state: dir}
			},
			map[string]string{"state": "fail StateUnwritable: nothing can be written to the state folder", "state/disk": "fail DiskFull: the disk of the state folder has 0 bytes free, at least 64.0 MiB are needed: a run takes some 2 KiB a step, and the logs of its programs → make room there"},
		},
		"Small": {
			"A disk that is nearly full is told before it is.",
			func(t *testing.T) patient {
				t.Helper()
				return patient{state: disktest.Small(t, "100m")}
			},
			map[string]string{"state": "pass StateGood", "state/disk": "warn DiskNearlyFull: the disk of the state folder has 100.0 MiB free, 1.0 GiB would be well"},
		},
		"ReadOnly": {
			"A disk that is mounted for reading only looks like one that can be written to.",
			func(t *testing.T) patient {
				t.Helper()
				dir := disktest.Small(t, "1m")
				if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "mode=0700"); err != nil {
					t.Fatal(err)
				}
				return patient{state: dir}
			},
			map[string]string{"state": "fail StateUnwritable: nothing can be written to the state folder", "state/disk": "fail DiskReadOnly"},
		},
		"ReadOnlyParent": {
			"Nor can the state folder be made there.",
			func(t *testing.T) patient {
				t.Helper()
				dir := disktest.Small(t, "1m")
				if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "mode=0700"); err != nil {
					t.Fatal(err)
				}
				return patient{state: dir + "/a/b"}
			},
			map[string]string{"state": "fail StateImpossible"},
		},
		"NoFiles": {
			"A disk can have room and no more names.",
			func(t *testing.T) patient {
				t.Helper()
				dir := disktest.Small(t, "2g")
				if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "nr_inodes=500"); err != nil {
					t.Fatal(err)
				}
				return patient{state: dir}
			},
			map[string]string{"state/disk": "fail DiskFull: the disk of the state folder has room for 4"},
		},
		"Probes": {
			"A program that may not be executed measures nothing.",
			func(t *testing.T) patient {
				t.Helper()
				dir := disktest.Small(t, "1m")
				data, err := os.ReadFile("/bin/true")
				if err == nil {
					err = os.WriteFile(dir+"/refit", data, 0o700)
				}
				if err == nil {
					err = syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_NOEXEC, "mode=0700")
				}
				if err != nil {
					t.Fatal(err)
				}
				return patient{state: t.TempDir() + "/state", program: dir + "/refit"}
			},
			map[string]string{"probes": "fail ProbesImpossible: no process can be started that measures downtime: "},
		},
		"ProbesWell": {
			"One that ends well can be started.",
			func(t *testing.T) patient {
				t.Helper()
				return patient{state: t.TempDir() + "/state", program: "/bin/true"}
			},
			map[string]string{"probes": "pass ProbesGood"},
		},
		"Empty battery": {
			"A clock that begins in 1970 would open every window.",
			func(t *testing.T) patient {
				t.Helper()
				return patient{state: t.TempDir() + "/state", now: func() time.Time { return time.Unix(1000, 0) }}
			},
			map[string]string{"clock": "fail ClockWrong: the clock says 1970-01-01T00:16:40Z"},
		},
		"Clock": {
			"The disk counts another time.",
			func(t *testing.T) patient {
				t.Helper()
				return patient{state: t.TempDir() + "/state", now: func() time.Time { return time.Now().Add(time.Hour) }}
			},
			map[string]string{"clock": "warn ClockDiffers: the disk of the state folder is -1h0m0s off the clock"},
		},
		"Terminal": {
			"What a person may want to set is noted.",
			func(t *testing.T) patient {
				t.Helper()
				home := t.TempDir()
				environ := map[string]string{"LANG": "C", "TERM": "dumb", "SHELL": "/usr/bin/fish", "HOME": home}
				return patient{state: home + "/state", request: service.DoctorRequest{Getenv: func(n string) string { return environ[n] }}}
			},
			map[string]string{"locale": "note the locale is C, not one of UTF-8", "terminal": "note TERM is dumb", "completion": "note fish does not complete the commands of refit, as far as can be seen → refit completion --help"},
		},
		"Completion": {
			"Completion that is there is not noted.",
			func(t *testing.T) patient {
				t.Helper()
				home := t.TempDir()
				if err := os.WriteFile(home+"/.bashrc", []byte("source <(refit completion bash)\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				environ := map[string]string{"LANG": "C.UTF-8", "TERM": "xterm", "SHELL": "/bin/bash", "HOME": home}
				return patient{state: home + "/state", request: service.DoctorRequest{Getenv: func(n string) string { return environ[n] }}}
			},
			map[string]string{"locale": "", "terminal": "", "completion": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := tc.patient(t)
			got := examine(t, p)
			for name, want := range tc.want {
				if !strings.HasPrefix(got[name], want) || want == "" && got[name] != "" {
					t.Errorf("%s %s is %q, want %q", tc.reason, name, got[name], want)
				}
			}
			if left, _ := filepath.Glob(p.state + "/.refit-*"); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// doctored is a platform whose procedure starts programs and reads secrets.
const doctored = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: hub, summary: Upgrade the hub.}
targets: {repo: {kind: git}}
components: {web: {kind: service}, data: {kind: volume}}
inputs:
  token: {type: secret}
  database: {type: object, fields: {password: {type: secret}}}
  program: {type: string, default: later}
probes:
  web: {component: web, exec: {command: [curl, -f, "http://x"]}}
stages:
  - id: only
    steps:
      refresh:
        phase: upgrade
        action: exec.command
        with:
          command: [juju, refresh, hub]
          observe: {command: [pachctl, version]}
          undo: {command: ["${inputs.program}", x]}
          secretEnv: {TOKEN: "${inputs.token}", PASSWORD: "${inputs.database.password}"}
        changes: [web]
      local: {phase: upgrade, action: exec.command, with: {command: [./install, x], undo: {command: [./undo]}}, changes: [web]}
      bring: {phase: prepare, action: file.copy, with: {from: pw, to: bin/brought}}
      inside: {phase: upgrade, action: exec.command, with: {command: [./tool, brought], dir: bin, undo: {command: [bin/gone]}}, changes: [web]}
      brought: {phase: upgrade, action: exec.command, with: {command: [./bin/brought], undo: {command: ["${inputs.program}"]}}, changes: [web]}
      there: {phase: upgrade, action: exec.command, with: {command: [./there], undo: {command: [./plain]}}, changes: [web]}
      secrets:
        phase: upgrade
        action: exec.shell
        with:
          script: "true"
          undo: "true"
          secretEnv: {T: {env: NOTSET}, U: "${inputs.token}", V: {env: HUB_TOKEN}}
          secretFiles: {F: {file: nofile}, G: {file: bin/brought}}
          secretStdin: {command: [./ask, x]}
        changes: [web]
      script:
        phase: upgrade
        action: exec.shell
        with:
          script: |
            mine() { kubectl get pods; }
            if command -v optional >/dev/null; then optional; fi
            command -v hinted >/dev/null && hinted
            command -v wanted >/dev/null || exit 1
            [ -f x ] && mine | grep "$(jq . x)" | ${inputs.program} -x
            for n in 1 2; do /opt/none/tool "$n"; done
            echo "$HOME" 'sed x'; "$TOOL" y; curl "http://x"
            cd y && ./moved
          observe: argocd app get x
          undo: |
            PATH=$PATH:/opt/x elsewhere
        changes: [web]
      unpack: {phase: upgrade, action: exec.command, with: {command: [sh, -c, "cpio -i <x; tar xf x"], undo: {command: [rm]}}, changes: [web]}
      unpacked: {phase: upgrade, action: exec.command, with: {command: [./maybe], dir: ".", undo: {command: [rm]}}, changes: [web]}
      somewhere: {phase: upgrade, action: exec.command, with: {command: [./where], dir: "${inputs.program}", undo: {command: [rm]}}, changes: [web]}
`

// TestDoctorPlatform finds what a platform lacks, all of it at once.
func TestDoctorPlatform(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{
		"procedure.yaml": doctored, "pw": planted + "\n",
		"platform.yaml": platformFile + `targets: {repo: {kind: git, path: .}}
inputs: {token: {env: HUB_TOKEN}, database: {password: {file: pw}}}
backup: {store: "file://` + dir + `/backups"}
notifications: {ops: {kind: slack, address: {command: [cat, gone]}}}
`,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(dir+"/bin", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"there": 0o700, "plain": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	lacking := []string{
		"juju", "curl", "kubectl", "jq", "argocd", "/opt/none/tool", "optional", "hinted", "wanted", "elsewhere", "mine",
		"cpio", "echo", "sed", "moved", "command",
	}
	p := patient{
		state:   dir + "/state",
		request: service.DoctorRequest{Platform: filepath.Join(dir, "platform.yaml")},
		lookPath: func(name string) (string, error) {
			if slices.Contains(lacking, name) {
				return "", errors.New("it is not there")
			}
			if strings.HasPrefix(name, dir) {
				return exec.LookPath(name)
			}
			return "/bin/" + name, nil
		},
	}
	got := examine(t, p)
	for name, want := range map[string]string{
		"platform":                          "pass PlatformGood",
		"target/repo":                       "fail TargetUnreachable",
		"program/juju":                      "fail ProgramMissing: is needed, and is not in the PATH → install juju",
		"program/curl":                      "fail ProgramMissing",
		"program/pachctl":                   "pass ProgramFound: is /bin/pachctl",
		"program/cat":                       "pass ProgramFound",
		"program/git":                       "pass ProgramFound: is /bin/git, git version ",
		"program/helm":                      "note helm is not needed: no action of this program starts it, and no command of the procedure names it",
		"program/./install":                 "fail ProgramMissing: is needed by only/local, and is not there → put it there, or correct its path",
		"program/./undo":                    "fail ProgramMissing: is needed by only/local, and is not there",
		"program/./bin/tool":                "fail ProgramMissing: is needed by only/inside, and is not there",
		"program/./bin/bin/gone":            "warn ProgramMissing: is not there, and only/inside needs it: an earlier step may make it",
		"program/./bin/brought":             "",
		"program/./there":                   "pass ProgramFound: is " + dir + "/there",
		"program/./plain":                   "fail ProgramMissing: is needed by only/there, and may not be executed → let it be executed: chmod +x " + dir + "/plain",
		"program/./maybe":                   "warn ProgramMissing: is not there, and only/unpacked needs it: an earlier step may make it",
		"program/./where":                   "note is not looked for: the folder in which only/somewhere starts it is only known later",
		"program/cpio":                      "warn ProgramMissing: is not in the PATH, and a script of only/unpack names it → install cpio",
		"program/kubectl":                   "warn ProgramMissing: is not in the PATH, and a script of only/script names it → install kubectl",
		"program/jq":                        "warn ProgramMissing",
		"program/argocd":                    "warn ProgramMissing",
		"program//opt/none/tool":            "warn ProgramMissing: is not there, and a script of only/script names it",
		"program/grep":                      "pass ProgramFound",
		"program/optional":                  "",
		"program/hinted":                    "",
		"program/elsewhere":                 "",
		"program/mine":                      "",
		"program/command":                   "",
		"program/echo":                      "",
		"program/sed":                       "",
		"program/./moved":                   "",
		"program/./ask":                     "fail ProgramMissing: is needed by secret only/secrets.secretStdin, and is not there",
		"secret/only/secrets.secretEnv.T":   `fail SecretUnreadable: secret from environment variable "NOTSET": it is not set → set it where Refit is started`,
		"secret/only/secrets.secretEnv.U":   "",
		"secret/only/secrets.secretEnv.V":   `fail SecretUnreadable: secret from environment variable "HUB_TOKEN": it is not set`,
		"secret/only/secrets.secretFiles.F": `fail SecretUnreadable: secret from file "nofile"`,
		"secret/only/secrets.secretFiles.G": "",
		"secret/only/secrets.secretStdin":   `fail SecretUnreadable: secret from command "./ask"`,
		"program/later":                     "",
		"secret/token":                      `fail SecretUnreadable: secret from environment variable "HUB_TOKEN": it is not set → set it where Refit is started`,
		"secret/database.password":          "pass SecretFound: can be read",
		"secret/notifications.ops":          `fail SecretUnreadable: secret from command "cat": `,
		"backup-store":                      `fail StoreUnusable: `,
	} {
		if !strings.HasPrefix(got[name], want) || want == "" && got[name] != "" {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	for name, text := range got {
		if strings.Contains(text, planted) {
			t.Errorf("%s shows the secret", name)
		}
	}
	// With what was missing all is well.
	p.environ = []string{"HUB_TOKEN=" + planted}
	if err := os.Mkdir(dir+"/backups", 0o700); err != nil {
		t.Fatal(err)
	}
	got = examine(t, p)
	for name, want := range map[string]string{"secret/token": "pass", "secret/only/secrets.secretEnv.V": "pass SecretFound: can be read", "backup-store": "pass StoreGood", "backup-store/disk": "pass RoomGood"} {
		if !strings.HasPrefix(got[name], want) {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if left, err := os.ReadDir(dir + "/backups"); err != nil || len(left) > 0 {
		t.Errorf("left in the store: %v, %v", left, err)
	}
}

// quiet is a procedure that needs nothing.
const quiet = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: quiet, summary: Look.}
stages:
  - id: only
    steps:
      look: {phase: prepare, action: file.read, with: {path: x}}
`

// TestDoctorBackupRoom compares the room of a real backup store with what the last
// backups took.
func TestDoctorBackupRoom(t *testing.T) {
	t.Parallel()
	tree := t.TempDir()
	noise := make([]byte, 700<<10)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tree+"/data", noise, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ reason, size, want string }{
		"Less": {"Another one does not fit.", "1200k", "fail DiskFull: the disk of the backup store has "},
		"Once": {"One fits, and not two.", "1800k", "warn DiskNearlyFull: the disk of the backup store has "},
		"Well": {"Two fit.", "4m", "pass RoomGood"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, store := t.TempDir(), disktest.Small(t, tc.size)
			opened, err := backup.Opener{}.Open("file://"+store, "")
			if err != nil {
				t.Fatal(err)
			}
			w := backup.Worker{Host: "node-1", Tools: []backup.Tool{{Name: "refit", Version: "test"}}, Scratch: t.TempDir(), Now: time.Now}
			if _, err := w.Make(t.Context(), backup.Request{Store: opened, Name: "homes", Key: "r/s", Kind: backup.Directory, Path: tree}); err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{
				"procedure.yaml": quiet, "platform.yaml": platformFile + "backup: {store: \"file://" + store + "\"}\n",
			} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := examine(t, patient{state: dir + "/state", request: service.DoctorRequest{Platform: dir + "/platform.yaml"}})
			if text := got["backup-store/disk"]; !strings.HasPrefix(text, tc.want) {
				t.Errorf("%s got %q, want %q", tc.reason, text, tc.want)
			}
			if tc.want[:4] != "pass" && !strings.Contains(got["backup-store/disk"], "the newest backups of all 1 series take 70") {
				t.Errorf("got %q, which does not say why", got["backup-store/disk"])
			}
			if !strings.HasPrefix(got["scratch/disk"], "pass") {
				t.Errorf("scratch: %q", got["scratch/disk"])
			}
		})
	}
}
