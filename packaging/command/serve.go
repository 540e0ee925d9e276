package command

import (
	"context"

	"github.com/spf13/cobra"

	"trento/packaging/daemon"
	"trento/packaging/server"
)

func newServe(l *configLoader) *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run the server until it is told to stop", Args: cobra.NoArgs, RunE: l.serve,
		Long: "Run the server until it is told to stop. It is configured by environment variables and the file of --config;\n\"trento-web config\" shows them.",
		Example: `  trento-web serve --config /etc/trento/trento-web
  TRENTO_DATA_DIR=/srv/trento trento-web serve`,
	}
}

func (l *configLoader) serve(cmd *cobra.Command, _ []string) error {
	c, err := l.load(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	return runServer(cmd, server.Options{Config: c, ConfigFile: l.file, Notices: l.notices})
}

// runServer runs a server that writes to the streams of the command, until the
// process is told to stop.
func runServer(cmd *cobra.Command, o server.Options) error {
	o.Stdout, o.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
	return daemon.Run(cmd.Context(), func(ctx context.Context) error { return server.Run(ctx, o) })
}
