package command

import (
	"log/slog"

	"github.com/spf13/cobra"

	"trento/packaging/server"
)

// newSSO makes the commands about single sign-on.
func newSSO(l *configLoader) *cobra.Command {
	renew := &cobra.Command{
		Use: "renew-certificate", Short: "Make a new certificate for SAML, while the server is stopped", Args: cobra.NoArgs,
		Long: "Make a new certificate for SAML, while the server is stopped, and print it. The identity provider has to know it before\n" +
			"the server starts: it verifies our requests with it. What it still encrypts for the certificate before can be read.\n" +
			"Run it as the user the server runs as, with the same configuration.",
		Example: `  trento-web sso renew-certificate --config /etc/trento/trento-web > saml.pem`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := l.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
			certificate, err := server.RenewSAMLCertificate(cmd.Context(), c, log)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(certificate)
			return err
		},
	}
	cmd := &cobra.Command{Use: "sso", Short: "Look after single sign-on", Args: requireKnownCommand, RunE: showHelp}
	cmd.AddCommand(renew)
	return cmd
}
