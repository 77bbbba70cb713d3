package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newSchema returns the command schema.
func newSchema(c *console) *cobra.Command {
	kinds := service.SchemaKinds()
	return &cobra.Command{
		Use:     "schema [" + strings.Join(kinds, "|") + "]",
		GroupID: groupWrite,
		Short:   "Print the JSON Schema of a kind of file, for editors",
		Long: `Schema prints a JSON Schema. Editors use it to complete and check what is typed;
refit lint knows more, because it also checks expressions and references.
Without an argument it is that of procedures.`,
		Example: `  refit schema procedure > procedure.schema.json
  # first line of a procedure, for editors with the YAML language server:
  # yaml-language-server: $schema=./procedure.schema.json`,
		Args: files(0, 1, "one kind of file"),
		ValidArgsFunction: first(fixed(inOrder,
			"issues\tknown issues of a procedure", "plan\tplans, which Refit writes",
			"platform\tfiles that name a platform",
			"procedure\tprocedures and sub-procedures", "versions\tversion graphs")),
		RunE: func(_ *cobra.Command, args []string) error {
			kind := "procedure"
			if len(args) > 0 {
				kind = args[0]
			}
			s, err := c.service()
			if err != nil {
				return err
			}
			schema, err := s.Schema(kind)
			if err != nil {
				return err
			}
			// A schema has no other text than its JSON.
			return c.show(schema, func(w io.Writer, _ report.TextOptions) error { return writeJSON(w, schema) })
		},
	}
}
