package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"trento/packaging/daemon"
)

// newService returns the command that installs and controls the service on a
// machine without a package of trento-web. The service reads
// /etc/trento/trento-web.
func newService() *cobra.Command {
	cmd := &cobra.Command{
		Use: "service", Short: "Make this program a service of the machine, and control it", Args: requireKnownCommand, RunE: showHelp,
		Example: `  sudo trento-web service install
  sudo trento-web service start
  trento-web service status`,
	}
	add := func(verb, short string, do func(*daemon.Control) error) {
		cmd.AddCommand(&cobra.Command{
			Use: verb, Short: short, Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				c, err := daemon.NewControl()
				if err != nil {
					return err
				}
				return do(c)
			},
		})
	}
	add("install", "Install and enable the service; it is configured by /etc/trento/trento-web", (*daemon.Control).Install)
	add("uninstall", "Stop and remove the service; the data stays", (*daemon.Control).Uninstall)
	add("start", "Start the service", (*daemon.Control).Start)
	add("stop", "Stop the service", (*daemon.Control).Stop)
	add("status", "Say whether the service runs", func(c *daemon.Control) error {
		status, err := c.Status()
		if err == nil {
			_, err = fmt.Fprintln(cmd.OutOrStdout(), status)
		}
		return err
	})
	return cmd
}
