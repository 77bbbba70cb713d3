package runbook_test

// pages are short runbooks, by what is special about them.
func pages() map[string]string {
	const fence = "```"
	return map[string]string{
		"Plain":        "# Upgrade\n\n## Before you begin\n\nCheck that nobody works.\n\n## Upgrade\n\n" + fence + "\nhelm upgrade <release> ./chart\n" + fence + "\n\n## Verify\n\n" + fence + "\nhelm status <release>\n" + fence + "\n",
		"NoHeadings":   "Stop the service.\n\nCopy the files.\n\n    systemctl restart web\n",
		"Numbered":     "1. Stop the hub.\n2. Do not log in.\n3. Start the hub:\n\n   " + fence + "sh\n   ./start.sh\n   " + fence + "\n",
		"ListThenCode": "1. Stop the hub:\n\n" + fence + "\nkubectl scale deploy hub --replicas=0\n" + fence + "\n\n2. Copy it:\n\n" + fence + "\ncp a b\n" + fence + "\n",
		"Expressions":  "# Upgrade ${x}\n\nRun ${observe.a} and $${b}.\n\n" + fence + "\necho ${HOME} $${X} ${Y:-z} $<a>\n" + fence + "\n",
		"Heredoc":      fence + "sh\ncat > f <<EOF\na: ${B}\n<name>\nEOF\nkubectl apply -f f\n" + fence + "\n\nStop it.\n",
		"QuotedDoc":    fence + "sh\ncat <<'EOF' | kubectl apply -f -\na: <name> $X\nEOF\n" + fence + "\n",
		"Prompts":      fence + "console\n$ kubectl get pods\nNAME   READY\na      1/1\nroot@host:~# helm upgrade a \\\n>  b\n" + fence + "\n",
		"RootPrompt":   fence + "console\n# systemctl stop a\nok\n# systemctl start a\n" + fence + "\n",
		"Comments":     fence + "bash\n# stop it\nsystemctl stop a  # now\n" + fence + "\n<!-- hidden: ask Ann -->\n",
		"Secrets":      "Set the password.\n\n" + fence + "\nmysql -u root -phunter2 < a.sql\nhelm upgrade a b --set db.password=hunter2\nexport AWS_SECRET_ACCESS_KEY=abcdefgh\ncurl https://ann:hunter2@host/ -H 'Authorization: Bearer abc.def'\n" + fence + "\n",
		"SecretFile":   "Write this file:\n\n" + fence + "yaml\ndb:\n  password: hunter2\n  user: ann\n" + fence + "\n",
		"Warnings":     "# Up\n\n> **Warning**\n> All sessions end.\n> " + fence + "\n> rm -rf /\n> " + fence + "\n\n!!! danger \"Stop\"\n    Nothing comes back.\n\n:::caution\nSlow.\n:::\n\n" + fence + "{warning}\nHot.\n" + fence + "\n\n" + fence + "\n./go.sh\n" + fence + "\n",
		"Table":        "# Up\n\nUse these:\n| a | b |\n|---|---|\n| c | d |\n\n" + fence + "\n./go.sh\n" + fence + "\n",
		"Flat":         "Upgrade the hub#\nIt is old.\nWindow one#\nPreparation#\nTell the users.\nDisable logins#\nDelete the hub.\nWindow two#\nPreparation#\nTell them again.\n",
		"Rollback":     "# Up\n\n## Upgrade\n\n" + fence + "\nhelm upgrade a b\n" + fence + "\n\n### Rollback\n\n" + fence + "\nhelm rollback a\n" + fence + "\n",
		"Only back":    "# Rollback\n\n" + fence + "\nhelm rollback a\n" + fence + "\n",
		"Unreadable":   fence + "sh\nif true; then\n  echo 'a\n" + fence + "\n\nStop it.\n",
		"Placeholders": fence + "\nhelm upgrade YOUR-RELEASE {{ chart }} --version=$VERSION -n NAMESPACE --set a=<first node IP> --token <TOKEN> --x='<x y>' \"$OTHER <z>\"\nSIZE=????\necho $SIZE\n" + fence + "\n",
		"Duplicates":   "## Halt\n\n## Halt\n\nStop it.\n\n## Halt\n\nStop it.\n\n## Same\n\nStop it.\n\n## Same\n\nStop it.\n",
		"Tasks":        "# Up\n\n- [ ] Stop a\n- [x] Stop b\n  - [ ] Stop c\n",
		"References":   "See [a][b] and stop it.\n\n[b]: https://example.org\n\nWait for ten minutes.\n",
		"Loop":         fence + "sh\nfor i in a b; do echo $i; done\nread NAME\nkubectl delete ns $NAME &\n" + fence + "\n",
		"Function":     fence + "sh\nf() { kubectl get pods; }\nf | tee out\n" + fence + "\n",
		"FrontMatter":  "---\ntitle: The page\nowner: ann\n---\n\n{% include a.md %}\n\nStop it.\n",
		"Windows":      "\ufeff# Up\r\n\r\nStop it.\r\n\r\n    systemctl stop a\r\n",
		"Dollar":       fence + "\nkubectl get pods -o jsonpath='{.items[*]}' $<x> \"${A}\" `hostname` $(date) \"$(echo <b>)\"\n" + fence + "\n",
		"Yaml":         "# a: b # c\n\n- Stop: it\n\n" + fence + "\n\tkubectl get \"a: b\" '# c' -- -1 true null ~ !x &y *z %w @v\n" + fence + "\n",
		"Html":         "<details>\n<summary>More</summary>\n\nStop it.\n\n</details>\n\n<!--\nhidden\n-->\n",
		"Setext":       "Upgrade\n=======\n\nBackup\n------\n\nDump it.\n\nVerify\n------\n\nLook at it.\n",
		"Unclear":      "# Up\n\n```\nfoo x\n```\n\n## Upgrade\n\n```\nmy-tool go\n```\n\nVerify it.\n\n```sql\nDROP TABLE x;\n```\n\nWait for it.\n\n```yaml\na: b\n```\n\nIt prints:\n\n```\nall good\n```\n",
		"Terminal":     "```\na: b\n  $ for i in a; do\n  > go $i <<E\n  > x\n  > E\n  > done\n  ok\n  $ cat <<E\n  c: d\n```\n\n</details>\n",
		"Nested":       "1. Stop:\n   1. Stop a.\n      - Stop b.\n        > Never stop c.\n   2. Check d:\n\n          kubectl get d\n",
	}
}
