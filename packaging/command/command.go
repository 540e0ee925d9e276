// Package command is the command line. Each command has a file.
package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"trento/auth"
	"trento/packaging/config"
)

// Run runs the command that the arguments of the process name, and returns the
// exit status of the process.
func Run() int { return execute(newRoot(os.Environ())) }

// execute runs a command, and returns the exit status of the process.
func execute(cmd *cobra.Command) int {
	if err := cmd.Execute(); err != nil {
		if status, ok := errors.AsType[exitStatus](err); ok {
			return int(status)
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "trento-web:", err)
		return int(statusOfError(err))
	}
	return 0
}

// exitStatus is the error of a command that has already printed its message and
// ends with this exit status.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// newRoot returns the command trento-web. Without a subcommand it runs the
// server.
func newRoot(environ []string) *cobra.Command {
	l := &configLoader{environ: environ}
	root := &cobra.Command{
		Use:   "trento-web",
		Short: "Watch SAP landscapes: console, API and agent endpoints in one program",
		Long: `Watch SAP landscapes: console, API and agent endpoints in one program.
Without a command it serves; see "trento-web serve --help".

The service reads its settings from /etc/trento/trento-web, keeps its data in
/var/lib/trento, and logs to the journal: journalctl -u trento-web. The guide
is /usr/share/doc/trento-web/operation.md.`,
		Example: `  trento-web                                        serve, with the data in ./trento-data
  trento-web demo                                   look at it with an invented landscape
  trento-web --config /etc/trento/trento-web        serve as the service does
  PORT=8080 LISTEN=127.0.0.1 trento-web serve       behind a reverse proxy on this machine
  trento-web config --example > trento-web.conf     begin a configuration file`,
		Args:          requireKnownCommand,
		RunE:          l.serve,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&l.file, "config", "", "read NAME=value settings from `FILE`, as systemd does from /etc/trento/trento-web")
	root.AddCommand(
		newServe(l),
		newConfig(l),
		newAdmin(l),
		newLogin(l),
		newLogout(l),
		newGet(l),
		newTag(l),
		newCleanup(l),
		newBackup(l),
		newRestore(l),
		newVerify(l),
		newCompact(l),
		newSSO(l),
		newDoctor(l),
		newSupport(l),
		newMCP(l),
		newChecks(),
		newVersion(),
		newService(),
		newDemo(environ),
		newSimulate(),
		newMan(),
	)
	return root
}

// configLoader loads the configuration from the environment and the file of
// --config.
type configLoader struct {
	environ []string
	file    string          // value of the flag --config
	notices []config.Notice // of load
}

// load loads the configuration and writes its notices to stderr.
func (l *configLoader) load(stderr io.Writer) (config.Config, error) {
	c, notices, err := config.Load(l.file, l.environ, adminRules())
	for _, n := range notices {
		fmt.Fprintln(stderr, "trento-web: note:", n)
	}
	l.notices = notices
	return c, err
}

// adminRules are the rules of package auth for the default admin.
func adminRules() config.Rules {
	return config.Rules{
		Username: auth.UsernameFaults, Email: auth.EmailFaults, Password: auth.CheckPasswordRules,
		Sender: auth.AlertSenderFaults, Recipients: auth.AlertRecipientsFaults, SMTPServer: auth.SMTPServerFaults, WebhookAddress: auth.WebhookURLFaults,
	}
}

// requireKnownCommand refuses unknown subcommands, and suggests similar ones.
func requireKnownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		message += ": did you mean " + strings.Join(similar, " or ") + "?"
	}
	return fmt.Errorf("%s\nRun \"%s --help\" to see all commands", message, cmd.CommandPath())
}

// showHelp prints the help. It is for commands that only have subcommands.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }
