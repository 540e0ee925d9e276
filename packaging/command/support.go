package command

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"trento/packaging/config"
	"trento/packaging/server"
	"trento/store/durable"
)

// newSupport returns the command that makes a support bundle.
func newSupport(l *configLoader) *cobra.Command {
	return &cobra.Command{
		Use: "support FILE", Short: "Make a bundle for those who help you, without secrets", Args: cobra.ExactArgs(1),
		Long: "Make a bundle for those who help you: a tar archive. FILE must not exist; - writes to the standard output.\n\n" +
			"It contains: what \"trento-web doctor\" says; the configuration with its secrets masked; versions; what a running server does\n" +
			"at this moment and the memory it uses; how much the data file holds; how many agents there are, by version; time, severity\n" +
			"and type of the newest entries of the activity log; and, where it can be read, the newest lines of the log of the service,\n" +
			"which name users and addresses of clients.\n" +
			"It does not contain: passwords, keys and tokens; users; what agents report; the texts of the activity log.\n" +
			"What looks like a secret is replaced by ********. README.txt in it says what each file is: look at them before you send it.\n" +
			"Run it as root or as the user the server runs as, with the same configuration.",
		Example: `  trento-web support --config /etc/trento/trento-web /tmp/trento-support.tar.gz
  tar -xzOf /tmp/trento-support.tar.gz trento-support/README.txt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			in := server.DoctorInput{File: l.file}
			in.Config, in.Notices, in.Err = config.Load(l.file, l.environ, adminRules())
			var bundle bytes.Buffer
			if err := server.Support(cmd.Context(), in, &bundle); err != nil {
				return err
			}
			if args[0] == "-" {
				_, err := cmd.OutOrStdout().Write(bundle.Bytes())
				return err
			}
			if _, err := os.Lstat(args[0]); !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("%s is there already; choose another name", args[0])
			}
			err := durable.WriteFile(args[0], bundle.Bytes(), 0o600)
			if err == nil {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "The support bundle is in %s. README.txt in it says what it contains; look at it before you send it.\n", args[0])
			}
			return err
		},
	}
}
