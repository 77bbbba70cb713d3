package procedure_test

import "testing"

func TestMistakesData(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"Covers": {
			reason: "Only backups cover, and only what holds data.",
			components: `  web: {kind: service}
  files: {kind: volume}
`,
			steps: `  a: {phase: backup, action: kube.version, covers: [db]}
  b: {phase: backup, action: database.backup, with: {database: {}}, covers: [web], consistency: online}
  c: {phase: backup, action: database.backup, with: {database: {}}, covers: [db], proof: 4, consistency: online}
  d: {phase: backup, action: volume.backup, covers: [files], proof: 3, consistency: online}
  e: {phase: backup, action: volume.backup, covers: [db], consistency: online}
  f: {phase: backup, action: volume.backup, covers: [db], proof: 2, consistency: online}
  g: {phase: backup, action: volume.backup, proof: 2, consistency: online}
`,
			want: []string{
				`NotABackup 18:57: error: step "a" covers "db", but kube.version is not a backup: use a backup action, or remove covers; backups are: database.backup, volume.backup`,
				`HoldsNoData 19:82: error: step "b" covers "web", a service that holds no data: remove it from covers, or declare the component with the kind of its data`,
				`OutOfRange 20:7: error: proof 4 of step "c" is not a level: 1 is read back, 2 parsed, 3 restored into a scratch target and counted`,
				`ProofTooHigh 21:7: error: step "d" wants proof 3, but volume.backup reaches 2: write proof: 2, or use another action`,
				`ProofTooHigh 22:58: error: a backup of "db", a database, needs proof 3, but volume.backup reaches 2: write proof: 2 to be content with less`,
				`KeyNotPermitted 24:7: error: step "g" has proof without covers: name in covers the components whose data the backup holds`,
				`KeyNotPermitted 24:72: error: step "g" has consistency without covers: name in covers the components whose data the backup holds`,
			},
		},
		"NotABackup": {
			reason: "A backup that is none is one mistake.",
			steps: `  a: {phase: backup, action: kube.version, covers: [db]}
  b: {phase: upgrade, action: kube.scale, with: {name: a}, changes: [db]}
`,
			want: []string{
				`NotABackup 16:57: error: step "a" covers "db", but kube.version is not a backup: use a backup action, or remove covers; backups are: database.backup, volume.backup`,
			},
		},
		"NotCovered": {
			reason: "A change of data needs a backup before it.",
			steps: `  late: {phase: verify, action: kube.version}
  a: {phase: upgrade, action: kube.scale, with: {name: a}, changes: [db]}
  save: {phase: resume, action: database.backup, with: {database: {}}, covers: [db], consistency: online}
`,
			want: []string{
				`NotCovered 17:7: error: step "a" may damage "db", which no backup before it in the stage covers: add a step with covers: [db] to phase backup; backups are: database.backup, volume.backup`,
			},
		},
		"NotQuiesced": {
			reason: "A backup reads what is not written to.",
			steps: `  a: {phase: upgrade, action: kube.scale, with: {name: a}, changes: [db]}
  save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db]}
`,
			want: []string{
				`NotQuiesced 16:7: error: step "a" may damage "db", and the backup "save" reads it while it is written to: add a step with quiesces: [db] before the backup, or consistency: online to it`,
			},
		},
		"QuiescedTooLate": {
			reason: "A quiesce after the backup began does not help.",
			steps: `  stop: {phase: backup, action: kube.scale, with: {name: a}, quiesces: [db], lease: {until: stage}}
  save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db]}
  a: {phase: upgrade, action: kube.scale, with: {name: a}, changes: [db]}
`,
			want: []string{
				`NotQuiesced 18:7: error: step "a" may damage "db", and the backup "save" reads it while it is written to: add a step with quiesces: [db] before the backup, or consistency: online to it`,
			},
		},
		"CoveredByNeeds": {
			reason: "Needs order steps of one phase.",
			steps: `  stop: {phase: upgrade, action: kube.scale, with: {name: a}, quiesces: [db], lease: {until: stage}}
  save: {phase: upgrade, needs: [stop], action: database.backup, with: {database: {}}, covers: [db]}
  a: {phase: upgrade, needs: [save], action: kube.scale, with: {name: a}, changes: [db]}
`,
		},
		"FreeStepNotCovered": {
			reason: "A free step does not wait for the backup.",
			steps: `  stop: {phase: quiesce, action: kube.scale, with: {name: a}, quiesces: [db], lease: {until: stage}}
  save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db]}
  a: {phase: upgrade, order: free, action: kube.scale, with: {name: a}, changes: [db]}
`,
			want: []string{
				`NotCovered 18:7: error: step "a" may damage "db", which no backup before it in the stage covers: add a step with covers: [db] to phase backup; backups are: database.backup, volume.backup`,
			},
		},
	})
}
