package command

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"trento/packaging/server"
	"trento/store"
)

// newAdmin returns the command for administrators who have lost their password.
func newAdmin(l *configLoader) *cobra.Command {
	var stdin bool
	reset := &cobra.Command{
		Use: "reset-password", Short: "Give the default admin another password, while the server is stopped", Args: cobra.NoArgs,
		Long: "Give the default admin another password, while the server is stopped. It is generated and written to the file\n" +
			"initial-admin-password in the data directory, or read from the standard input. All sessions of the admin end.\n" +
			"Run it as the user the server runs as, with the same configuration.\n\n" +
			"While single sign-on is on, nobody signs in with a password. Where the identity provider lets nobody in any more, set\n" +
			"ENABLE_OIDC, ENABLE_OAUTH2 or ENABLE_SAML to false as well.",
		Example: `  trento-web admin reset-password --config /etc/trento/trento-web
  trento-web admin reset-password --stdin < password.txt`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := l.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			password := ""
			if stdin {
				if password, err = readPassword(cmd.InOrStdin()); err != nil {
					return err
				}
			}
			file, err := server.ResetAdmin(cmd.Context(), c, password)
			if err != nil {
				return err
			}
			message := "The password of %s is changed."
			if file != "" {
				message = "The new password of %s is in the file " + file + "."
			}
			if c.EnableOIDC || c.EnableOAuth2 || c.EnableSAML {
				message += " It counts once single sign-on is off: set ENABLE_OIDC, ENABLE_OAUTH2 or ENABLE_SAML to false."
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), message+" Start the server and sign in.\n", store.NormalUsername(c.AdminUser))
			return err
		},
	}
	reset.Flags().BoolVar(&stdin, "stdin", false, "read the password from the first line of the standard input")
	cmd := &cobra.Command{Use: "admin", Short: "Look after the default admin", Args: requireKnownCommand, RunE: showHelp}
	cmd.AddCommand(reset)
	return cmd
}

// readPassword returns the first line. It fails if that line is empty.
func readPassword(from io.Reader) (string, error) {
	line, err := readLine(from)
	if err == nil && line == "" {
		err = errors.New("there is no password on the standard input")
	}
	return line, err
}

// maxLine is the largest number of bytes of a line that a person types.
const maxLine = 64 << 10

// readLine returns the first line, without its end. The last line of a file
// needs no end.
func readLine(from io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(from, maxLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}
