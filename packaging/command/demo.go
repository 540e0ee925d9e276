package command

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"trento/packaging/config"
	"trento/packaging/demo"
	"trento/packaging/server"
)

// newDemo returns the command that runs a server on a temporary directory, with
// a generated landscape that has a past and goes on to report.
func newDemo(environ []string) *cobra.Command {
	var hosts int
	cmd := &cobra.Command{
		Use: "demo", Short: "Show a living landscape with a past on a throw-away data directory", Args: cobra.NoArgs,
		Example: `  trento-web demo
  PORT=8080 trento-web demo --hosts 200`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if hosts < 1 {
				return fmt.Errorf("hosts must be at least 1, not %d", hosts)
			}
			dir, err := os.MkdirTemp("", "trento-demo-")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
			c, _, err := config.Load("", append(environ, "TRENTO_DATA_DIR="+dir), adminRules())
			if err != nil {
				return err
			}
			landscape, err := demo.MakePast(cmd.Context(), demo.Options{Config: c, Program: server.Version(), Hosts: hosts, Now: time.Now()})
			if err != nil {
				return err
			}
			return runServer(cmd, server.Options{Config: c, Demo: landscape})
		},
	}
	cmd.Flags().IntVar(&hosts, "hosts", 50, "how many hosts the landscape has")
	return cmd
}
