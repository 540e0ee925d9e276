package command

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"trento/packaging/config"
	"trento/packaging/doctor"
	"trento/packaging/server"
	"trento/store/finding"
)

// The exit statuses of trento-web doctor, beside 0.
const (
	statusWarning     exitStatus = 1 // something should be done soon
	statusUrgent      exitStatus = 2 // something must be done at once
	statusNotExamined exitStatus = 3 // the installation could not be examined
)

// newDoctor returns the command that says what is wrong with the installation.
func newDoctor(l *configLoader) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say what is wrong with this installation, and what mends it", Args: cobra.NoArgs,
		Long: "Say what is wrong with this installation, why it matters, and what mends it, the most urgent first: configuration, files, disk,\n" +
			"data, backups, certificate, clock, ports, single sign-on, messages, agents. Nothing is changed, and no password is needed.\n" +
			"A running server is asked; of a stopped one, the data are read and verified.\n" +
			"Run it as root or as the user the server runs as, with the same configuration.\n\n" +
			"Exit status: 0 nothing is wrong, 1 warnings, 2 something is urgent, 3 nothing could be examined.",
		Example: `  trento-web doctor --config /etc/trento/trento-web
  trento-web doctor --json | jq -r '.findings[] | select(.urgency == "urgent") | .what'
  trento-web doctor --config /etc/trento/trento-web > /dev/null || mail -s "Trento needs you" root`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in := server.DoctorInput{File: l.file}
			in.Config, in.Notices, in.Err = config.Load(l.file, l.environ, adminRules())
			r, err := server.Doctor(cmd.Context(), in)
			if err == nil {
				err = printReport(cmd.OutOrStdout(), r, asJSON)
			}
			if err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), "trento-web:", err)
				return statusNotExamined
			}
			return statusOf(r)
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		fmt.Fprintln(cmd.ErrOrStderr(), "trento-web:", err)
		return statusNotExamined
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON, as GET /api/v1/doctor answers it")
	return cmd
}

// statusOf returns the exit status of a report, as an error unless it is 0.
func statusOf(r *finding.Report) error {
	switch r.Worst() {
	case finding.Urgent:
		return statusUrgent
	case finding.Warning:
		return statusWarning
	}
	return nil
}

func printReport(w io.Writer, r *finding.Report, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(r)
	}
	_, err := io.WriteString(w, doctor.Text(r))
	return err
}
