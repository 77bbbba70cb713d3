package procedure_test

import "testing"

const (
	noBackup = `which no backup before it in the stage covers: add a step with covers: [db] to phase backup; ` +
		`backups are: database.backup, volume.backup`
	lostBackup = `was skipped or has failed: remove when over outputs of steps and onFailure: continue from the ` +
		`backup and what it needs, or let the change need it`
	dirtyBackup = `reads it while it is written to: add a step with quiesces: [db] before the backup, ` +
		`or consistency: online to it`
	plannedBackup = `give the change the same when; planning refuses the change when the backup is left out`
)

// saveSub is a sub-procedure that backs a component up.
var saveSub = memory{"save.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: save, summary: A backup.}
targets: {cluster: {kind: kubernetes}}
components: {db: {kind: database}}
inputs:
  wanted: {type: bool, default: true}
steps:
  stop: {phase: quiesce, action: kube.scale, with: {name: a}, quiesces: [db], lease: {until: stage}}
  save: {phase: backup, when: "${inputs.wanted}", action: database.backup, with: {database: {}}, covers: [db]}
`, "plain.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: plain, summary: A backup.}
components: {db: {kind: database}}
steps:
  save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db], consistency: online}
`}

func TestMistakesConditionalBackups(t *testing.T) {
	t.Parallel()
	const look = "  look: {phase: prepare, action: file.read, with: {path: x}}\n"
	const change = "  a: {phase: upgrade, action: kube.scale, with: {name: a}, changes: [db]}\n"
	runMistakes(t, map[string]mistake{
		"UseMayBeSkipped": {
			reason: "A use that only the run decides about may leave the backup out.",
			steps:  look + "  save: {use: plain.yaml, when: \"${steps.look.output.exists}\"}\n" + change,
			files:  saveSub,
			want:   []string{`NotCovered 18:7: error: step "a" may damage "db" although the backup "save/save" ` + lostBackup},
		},
		"OwnWhenOverOutputs": {
			reason: "So may a condition of the backup itself.",
			steps: look + "  save: {phase: backup, when: \"${steps.look.output.exists}\", action: database.backup, " +
				"with: {database: {}}, covers: [db], consistency: online}\n" + change,
			want: []string{`NotCovered 18:7: error: step "a" may damage "db" although the backup "save" ` + lostBackup},
		},
		"LateInput": {
			reason: "An input that is made of outputs of steps makes a condition inside late.",
			steps:  look + "  save: {use: save.yaml, with: {wanted: \"${steps.look.output.exists}\"}}\n" + change,
			files:  saveSub,
			want:   []string{`NotCovered 18:7: error: step "a" may damage "db" although the backup "save/save" ` + lostBackup},
		},
		"PlannedWhen": {
			reason: "Planning decides about other conditions; the author learns of it before.",
			steps:  "  save: {use: plain.yaml, when: \"${inputs.url != ''}\"}\n" + change,
			files:  saveSub,
			want:   []string{`MayNotBeCovered 17:7: warning: step "a" may damage "db", and what saves it has a when: "save/save": ` + plannedBackup},
		},
		"SameWhen": {
			reason: "A change with the same condition is left out with its backup.",
			steps: "  save: {use: plain.yaml, when: \"${inputs.url != ''}\"}\n" +
				"  a: {phase: upgrade, when: \"${inputs.url != ''}\", action: kube.scale, with: {name: a}, changes: [db]}\n",
			files: saveSub,
		},
		"QuiesceMayBeSkipped": {
			reason: "A quiesce that may be skipped does not hold the component.",
			steps: look + "  stop: {phase: quiesce, when: \"${steps.look.output.exists}\", action: kube.scale, with: {name: a}, " +
				"quiesces: [db], lease: {until: stage}}\n" +
				"  save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db]}\n" + change,
			want: []string{`NotQuiesced 19:7: error: step "a" may damage "db", and the backup "save" ` + dirtyBackup},
		},
		"DynamicForEach": {
			reason: "A list that may be empty backs nothing up.",
			steps: "  names: {phase: prepare, action: values.migrate, with: {rules: r}}\n" +
				"  save: {phase: backup, forEach: \"${steps.names.output.names}\", max: 3, action: database.backup, " +
				"with: {database: {}}, covers: [db], consistency: online}\n" + change,
			want: []string{`NotCovered 18:7: error: step "a" may damage "db" although the backup "save" ` + lostBackup},
		},
	})
}

func TestMistakesFailedBackups(t *testing.T) {
	t.Parallel()
	const change = "  a: {phase: upgrade, action: kube.scale, with: {name: a}, changes: [db]}\n"
	const save = "  save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db], consistency: online"
	runMistakes(t, map[string]mistake{
		"Continues": {
			reason: "A backup whose failure is passed over covers nothing.",
			steps:  save + ", onFailure: continue}\n" + change,
			want:   []string{`NotCovered 17:7: error: step "a" may damage "db" although the backup "save" ` + lostBackup},
		},
		"ContinuesAndNeeded": {
			reason: "A change that needs the backup does not run without it.",
			steps: save + ", onFailure: continue}\n" +
				"  between: {phase: backup, needs: [save], action: kube.version}\n" +
				"  a: {phase: upgrade, needs: [between], action: kube.scale, with: {name: a}, changes: [db]}\n",
		},
		"NeedContinues": {
			reason: "A backup is not made when what it needs has failed.",
			steps: "  first: {phase: prepare, action: kube.version, onFailure: continue}\n" +
				save + ", needs: [first]}\n" + change,
			want: []string{`NotCovered 18:7: error: step "a" may damage "db" although the backup "save" ` + lostBackup},
		},
		"UseContinues": {
			reason: "What the use says holds inside.",
			steps:  "  save: {use: plain.yaml, onFailure: continue}\n" + change,
			files:  saveSub,
			want:   []string{`NotCovered 17:7: error: step "a" may damage "db" although the backup "save/save" ` + lostBackup},
		},
		"StageContinues": {
			reason: "What the stage says holds for all its steps.",
			stages: "  - id: one\n    onFailure: continue\n    steps:\n" + indent("    ", save+"}\n"+change),
			want:   []string{`NotCovered 18:7: error: step "a" may damage "db" although the backup "save" ` + lostBackup},
		},
		"StageContinuesButNotTheBackup": {
			reason: "Unless the backup says otherwise.",
			stages: "  - id: one\n    onFailure: continue\n    steps:\n" + indent("    ", save+", onFailure: halt}\n"+change),
		},
		"QuiesceContinues": {
			reason: "A quiesce whose failure is passed over does not hold the component.",
			steps: "  stop: {phase: quiesce, onFailure: continue, action: kube.scale, with: {name: a}, quiesces: [db], lease: {until: stage}}\n" +
				"  save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db]}\n" + change,
			want: []string{`NotQuiesced 18:7: error: step "a" may damage "db", and the backup "save" ` + dirtyBackup},
		},
	})
}

func TestMistakesHeldQuiesces(t *testing.T) {
	t.Parallel()
	stop := func(until, more string) string {
		return "      stop: {phase: quiesce, action: kube.scale, with: {name: a}, quiesces: [db], lease: {until: " + until + "}" + more + "}\n"
	}
	const later = `  - id: two
    steps:
      save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db]}
      a: {phase: upgrade, action: kube.scale, with: {name: a}, changes: [db]}
`
	const head = "  - id: one\n    steps:\n"
	dirty := func(at string) []string {
		return []string{`NotQuiesced ` + at + `: error: step "a" may damage "db", and the backup "save" ` + dirtyBackup}
	}
	runMistakes(t, map[string]mistake{
		"UntilRun":   {reason: "It is held in later stages too.", stages: head + stop("run", "") + later},
		"UntilStage": {reason: "It ends with its stage.", stages: head + stop("stage", "") + later, want: dirty("20:7")},
		"Continues": {
			reason: "It may have failed.", stages: head + stop("run", ", onFailure: continue") + later, want: dirty("20:7"),
		},
		"StageLeftOut": {
			reason: "Its stage may be left out.",
			stages: "  - id: one\n    when: ${inputs.url != ''}\n    steps:\n" + stop("run", "") + later, want: dirty("21:7"),
		},
	})
}

func TestMistakesAbortCoverage(t *testing.T) {
	t.Parallel()
	const head = "  - id: one\n    steps:\n      look: {phase: prepare, action: file.read, with: {path: x}}\n"
	const abort = "    abort:\n      steps:\n"
	const change = "        back: {phase: upgrade, action: kube.scale, with: {name: a}, changes: [db]}\n"
	save := func(more string) string {
		return "      save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db]" + more + "}\n"
	}
	runMistakes(t, map[string]mistake{
		"NotCovered": {
			reason: "The way back may damage data as well.", stages: head + abort + change,
			want: []string{`NotCovered 19:9: error: step "back" may damage "db", ` + noBackup},
		},
		"ByTheStage": {reason: "A backup of the stage covers it.", stages: head + save(", consistency: online") + abort + change},
		"ByTheStageConditional": {
			reason: "One that may be skipped does not.",
			stages: head + save(", consistency: online, when: \"${steps.look.output.exists}\"") + abort + change,
			want:   []string{`NotCovered 20:9: error: step "back" may damage "db" although the backup "save" ` + lostBackup},
		},
		"ByTheStageContinues": {
			reason: "Nor one that may have failed.",
			stages: head + save(", consistency: online, onFailure: continue") + abort + change,
			want:   []string{`NotCovered 20:9: error: step "back" may damage "db" although the backup "save" ` + lostBackup},
		},
		"ByItself": {
			reason: "A backup of the way back itself covers it.",
			stages: head + abort + "  " + save(", consistency: online") + change,
		},
		"Quiesced": {
			reason: "What the stage holds still is still when the way back begins.",
			stages: head + "      stop: {phase: quiesce, action: kube.scale, with: {name: a}, quiesces: [db], lease: {until: stage}}\n" +
				abort + "  " + save("") + change,
		},
		"Released": {
			reason: "Unless it is released after a failure.",
			stages: head + "      stop: {phase: quiesce, action: kube.scale, with: {name: a}, quiesces: [db], lease: {until: stage, onFailure: release}}\n" +
				abort + "  " + save("") + change,
			want: []string{`NotQuiesced 21:9: error: step "back" may damage "db", and the backup "save" ` + dirtyBackup},
		},
		"Irreversible": {
			reason: "A step of the way back says why it cannot be taken back.",
			stages: head + abort + "        back: {phase: upgrade, action: kube.wipe, with: {name: a}, reversible: no}\n",
			want: []string{
				`ReasonMissing 19:80: error: step "back" does not say why it cannot be taken back: write reversible: "no: why"; the plan shows it at the point of no return`,
			},
		},
	})
}
