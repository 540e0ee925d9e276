package command

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"trento/packaging/server"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show version, commit, date and Go version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return printVersion(cmd.OutOrStdout()) },
	}
}

// printVersion prints the version of the program, its commit and the Go
// version.
func printVersion(w io.Writer) error {
	commit, date, modified := "unknown", "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.time":
				date = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				modified = ", with changes that are not in it"
			}
		}
	}
	_, err := fmt.Fprintf(w, "trento-web %s\ncommit     %s%s\ndate       %s\nGo         %s %s/%s\n",
		server.Version(), commit, modified, date, strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS, runtime.GOARCH)
	return err
}
