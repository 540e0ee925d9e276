package command

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"trento/auth/sso"
	"trento/packaging/server"
)

// newSSO returns the commands about single sign-on.
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
	check := &cobra.Command{
		Use: "check", Short: "Try the configured identity provider, without a browser", Args: cobra.NoArgs,
		Long: "Try the configured identity provider, without a browser: its addresses, certificates and clock, and whether it knows this\n" +
			"server. What was found is printed, with what to change. Fails where something has to be. A running server is not touched.",
		Example: `  trento-web sso check --config /etc/trento/trento-web`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := l.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			found, err := server.CheckProvider(cmd.Context(), c, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			return printFindings(cmd.OutOrStdout(), found)
		},
	}
	cmd := &cobra.Command{Use: "sso", Short: "Look after single sign-on", Args: requireKnownCommand, RunE: showHelp}
	cmd.AddCommand(check, renew)
	return cmd
}

// printFindings prints the findings of a check. It fails if one of them needs a
// change.
func printFindings(w io.Writer, found []sso.Finding) error {
	wrong := 0
	for _, f := range found {
		mark := "ok"
		if !f.Good {
			mark = "WRONG"
			wrong++
		}
		fmt.Fprintf(w, "%-5s  %s\n", mark, f.Text)
		if f.Cure != "" {
			fmt.Fprintf(w, "       %s\n", f.Cure)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d findings need a change", wrong, len(found))
	}
	return nil
}
