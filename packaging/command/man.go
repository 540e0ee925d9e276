package command

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newMan returns the command that writes the manual pages.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use: "man DIRECTORY", Short: "Write the manual pages of all commands into a directory", Args: cobra.ExactArgs(1),
		Example: `  sudo trento-web man /usr/local/share/man/man8
  man trento-web-serve`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // the pages must not depend on the day they are generated
			header := &doc.GenManHeader{Section: "8", Source: "Trento", Manual: "System Administration"}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("manual: %w", err)
			}
			return nil
		},
	}
}
