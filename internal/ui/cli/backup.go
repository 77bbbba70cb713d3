package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/service"
)

// newBackup returns the command backup with its subcommands.
func newBackup(c *console) *cobra.Command {
	from := &service.BackupStore{}
	cmd := &cobra.Command{
		Use:     "backup",
		GroupID: groupRun,
		Short:   "List, show, prove, restore and remove backups",
		Long: `Backup works on the backups of a store: a folder, or a bucket of an S3 server. It is
the store that the platform file names, platform.yaml of the working folder when
none is given, or the one of --store. The keys of an S3 server come from the
environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.

Backups are made by steps of a plan with the action archive.backup.`,
		Example: `  refit backup list
  refit backup list --store 's3://backups/hub?endpoint=https://minio.example.org:9000'
  refit backup restore homes-0123456789abcdef --to /srv/homes-from-backup`,
		Args: noSubcommand,
		RunE: showHelp,
	}
	cmd.PersistentFlags().StringVar(&from.Address, "store", "", "`ADDRESS` of the store, such as file:///var/backups")
	cmd.PersistentFlags().StringVar(&from.Platform, "platform", "",
		"platform `FILE` that names the store (default: platform.yaml here)")
	complete(cmd, "store", storeForms())
	complete(cmd, "platform", yamlFiles)
	cmd.AddCommand(newBackupList(c, from), newBackupShow(c, from), newBackupVerify(c, from),
		newBackupRestore(c, from), newBackupPrune(c, from))
	return cmd
}

// backupIDs offers the backups of the store that the flags name; with whole only
// those that can be restored.
func (c *console) backupIDs(from *service.BackupStore, whole bool) completer {
	return first(func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return c.offer(func(s *service.Service) ([]service.Offer, error) {
			return s.OfferBackups(contextOf(cmd), *from, whole)
		})
	})
}

// keyFlag declares --key.
func keyFlag(cmd *cobra.Command, key *string) {
	cmd.Flags().StringVar(key, "key", "",
		"`REFERENCE` to the age identity of an encrypted backup: file:PATH, env:NAME or {command: [...]}")
	complete(cmd, "key", keyForms())
}

// backupList is what a store has.
type backupList struct {
	Backups []report.BackupInfo `json:"backups"`
}

func newBackupList(c *console, from *service.BackupStore) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the backups of a store",
		Long: `List shows what a store has, the newest first: what it holds, when it was made, how
large it is, how well it is proved, and whether a key is needed. Parts are not read:
what a list does not call damaged is proved by refit backup verify.`,
		Example: `  refit backup list
  refit backup list --store file:///var/backups/hub -o json`,
		Args: none, ValidArgsFunction: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			list, err := s.Backups(cmd.Context(), *from)
			if err != nil {
				return err
			}
			return c.show(backupList{list}, func(w io.Writer, opts report.TextOptions) error {
				return report.BackupListText(w, list, opts)
			})
		},
	}
}

func newBackupShow(c *console, from *service.BackupStore) *cobra.Command {
	return &cobra.Command{
		Use:   "show BACKUP",
		Short: "Show all that is known of a backup",
		Long: `Show prints what the manifest of a backup says - where it comes from, what was
counted, which step made it, for whom it is encrypted - and all its proofs.`,
		Example:           `  refit backup show homes-0123456789abcdef`,
		Args:              files(1, 1, "one backup"),
		ValidArgsFunction: c.backupIDs(from, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			b, err := s.Backup(cmd.Context(), *from, args[0])
			if err != nil {
				return err
			}
			return c.show(b, func(w io.Writer, opts report.TextOptions) error {
				return report.BackupText(w, *b, opts)
			})
		},
	}
}

func newBackupVerify(c *console, from *service.BackupStore) *cobra.Command {
	r := service.VerifyRequest{}
	cmd := &cobra.Command{
		Use:   "verify BACKUP",
		Short: "Prove a backup once more",
		Long: `Verify reads a backup and writes the proof into the store, as the action
archive.verify does. At level 1 every part is read back and compared with its digest,
for which no key is needed; at level 2 the content is parsed and counted; at level 3
it is restored into a scratch folder, counted and compared, which needs the room.

The exit code is 3 when the backup is damaged or incomplete, 1 when that cannot be
told, as when the store does not answer.`,
		Example: `  refit backup verify homes-0123456789abcdef
  refit backup verify homes-0123456789abcdef --level 3 --key file:/etc/refit/backup.key`,
		Args:              files(1, 1, "one backup"),
		ValidArgsFunction: c.backupIDs(from, true),
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.Level < 1 || r.Level > 3 {
				return usagef("--level %d is out of range: give 1 to 3", r.Level)
			}
			s, err := c.service()
			if err != nil {
				return err
			}
			r.From, r.ID = *from, args[0]
			proof, err := s.VerifyBackup(cmd.Context(), r)
			if service.BackupIsBad(err) {
				return blocked{err}
			}
			if err != nil {
				return err
			}
			return c.show(verified{args[0], proof}, func(w io.Writer, opts report.TextOptions) error {
				return report.BackupVerifiedText(w, args[0], *proof, opts)
			})
		},
	}
	cmd.Flags().IntVar(&r.Level, "level", 2, "`LEVEL` of the proof: 1 read back, 2 parsed, 3 restored and counted")
	complete(cmd, "level", fixed(inOrder, "1\tread back", "2\tparsed", "3\trestored and counted"))
	keyFlag(cmd, &r.Key)
	return cmd
}

// verified is a proof that was made.
type verified struct {
	Backup string              `json:"backup"`
	Proof  *report.BackupProof `json:"proof"`
}

func newBackupRestore(c *console, from *service.BackupStore) *cobra.Command {
	r := service.RestoreRequest{}
	cmd := &cobra.Command{
		Use:   "restore BACKUP --to PATH",
		Short: "Bring a backup back, beside what there is",
		Long: `Restore brings a folder or a database file back to a path, as the action
archive.restore does: first as a whole next to it, checked and compared with what was
counted when it was saved, then into its place. Nothing is overwritten: where there is
something already it refuses, and with --replace it keeps that in a folder beside,
which it names. It needs room for both. Stop what uses the place first.

A restore that broke off is gone on with when the same is typed again.`,
		Example: `  refit backup restore homes-0123456789abcdef --to /srv/homes-from-backup
  refit backup restore hub-0123456789abcdef --to /srv/hub/jupyterhub.sqlite --replace
  refit backup restore homes-0123456789abcdef --to homes --key env:BACKUP_KEY`,
		Args:              files(1, 1, "one backup"),
		ValidArgsFunction: c.backupIDs(from, true),
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.To == "" {
				return usagef("%s needs --to PATH: what it becomes", cmd.CommandPath())
			}
			s, err := c.service()
			if err != nil {
				return err
			}
			r.From, r.ID = *from, args[0]
			result, err := s.RestoreBackup(cmd.Context(), r)
			if service.BackupIsBad(err) {
				return blocked{err}
			}
			if err != nil {
				return err
			}
			return c.show(result, func(w io.Writer, opts report.TextOptions) error {
				return report.RestoredText(w, *result, opts)
			})
		},
	}
	cmd.Flags().StringVar(&r.To, "to", "", "`PATH` of the folder, or of the database file, that it becomes")
	cmd.Flags().BoolVar(&r.Replace, "replace", false, "put it in the place of what is there, and keep that beside")
	complete(cmd, "to", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	})
	keyFlag(cmd, &r.Key)
	return cmd
}

func newBackupPrune(c *console, from *service.BackupStore) *cobra.Command {
	rules, within := service.PruneRules{}, ""
	dry, yes := false, false
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove old backups",
		Long: `Prune removes backups that the rules let go, of each series by itself: those of the
same name, from the same folder of the same machine. These always stay: the last good
backup, the last that was proved best, all newer ones, those of runs of this machine
that have not ended, and damaged ones, at which somebody should look.

Age is counted from the last good backup of a series and never from the clock of this
machine, and a backup whose times contradict each other stays. So a clock that is wrong
removes nothing.

With --dry-run nothing is removed. Else it shows what goes and asks; without a terminal
it needs --yes.`,
		Example: `  refit backup prune --keep 7 --dry-run
  refit backup prune --keep 7 --within 30d
  refit backup prune --keep 7 --yes --store file:///var/backups/hub`,
		Args: none, ValidArgsFunction: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if within != "" {
				d, err := schema.ParseDuration(within)
				if err != nil || d <= 0 {
					return usagef("--within %q is no time: write it as 30d or 12h", within)
				}
				rules.Within = d
			}
			if cmd.Flags().Changed("keep") && rules.Keep < 1 {
				return usagef("--keep %d is out of range: give 1 or more", rules.Keep)
			}
			return c.prune(cmd, *from, rules, dry, yes)
		},
	}
	cmd.Flags().IntVar(&rules.Keep, "keep", 0, "`NUMBER` of good backups of each series to keep")
	cmd.Flags().StringVar(&within, "within", "", "keep what is at most `TIME` older than the newest, such as 30d")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show what would go, and remove nothing")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	complete(cmd, "keep", nothing)
	complete(cmd, "within", nothing)
	return cmd
}

// prune shows what goes, asks, and removes it.
func (c *console) prune(
	cmd *cobra.Command, from service.BackupStore, rules service.PruneRules, dry, yes bool,
) error {
	s, err := c.service()
	if err != nil {
		return err
	}
	p, err := s.JudgeBackups(cmd.Context(), from, rules)
	if err != nil {
		return err
	}
	r := &p.Result
	if !dry && len(r.Goes) > 0 {
		if !yes {
			if err := c.confirmPrune(cmd, r); err != nil {
				return err
			}
		}
		if err := s.PruneBackups(cmd.Context(), p); err != nil {
			return fmt.Errorf("%d of %d backups were removed, then: %w", len(r.Removed), len(r.Goes), err)
		}
	}
	return c.show(r, func(w io.Writer, opts report.TextOptions) error { return report.PruneText(w, *r, opts) })
}

// confirmPrune shows on the terminal what goes, and asks.
func (c *console) confirmPrune(cmd *cobra.Command, r *report.PruneResult) error {
	if !c.app.Interactive() {
		return usagef("without a terminal %s needs --yes, or --dry-run to see what would go", cmd.CommandPath())
	}
	c.progress.clear()
	if err := report.PruneText(c.app.Stderr, *r, c.textOptions(c.app.Stderr)); err != nil {
		return err
	}
	return c.confirm(cmd.Context(), fmt.Sprintf("Remove %s?", plural(len(r.Goes), "backup")))
}

// blocked ends a command with ExitBlocked: a check has failed.
type blocked struct{ error }

// Unwrap returns the cause.
func (b blocked) Unwrap() error { return b.error }
