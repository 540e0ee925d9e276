package command

import (
	"github.com/spf13/cobra"

	"trento/packaging/config"
)

func newConfig(l *configLoader) *cobra.Command {
	var example bool
	cmd := &cobra.Command{
		Use: "config", Short: "Show the configuration in force and where each value came from", Args: cobra.NoArgs,
		Example: `  trento-web config --config /etc/trento/trento-web
  trento-web config --example > trento-web.conf`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if example {
				return config.Example(cmd.OutOrStdout())
			}
			c, err := l.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return c.Print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&example, "example", false, "write a commented configuration file instead")
	return cmd
}
