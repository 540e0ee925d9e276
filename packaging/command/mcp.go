package command

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"trento/packaging/client"
	"trento/packaging/server"
	"trento/ui/mcp"
)

// newMCP returns the command that gives an assistant on this machine the tools of
// a server elsewhere.
func newMCP(environ []string) *cobra.Command {
	bridge := mcp.Bridge{Version: server.Version()}
	var tokenFile, caFile string
	cmd := &cobra.Command{
		Use: "mcp", Short: "Give an assistant the tools of a server (Model Context Protocol over stdio)", Args: cobra.NoArgs,
		Long: "Give an assistant on this machine the tools of a server: the Model Context Protocol (MCP) over standard input and output.\n" +
			"The assistant starts it. It can do what the personal access token may, and changes nothing unless --allow-writes is given.\n" +
			"The token comes from the environment variable TRENTO_TOKEN or from --token-file: everybody on the machine can see arguments.\n" +
			"A client that speaks MCP over HTTP needs no command: it connects to /mcp of the server.",
		Example: `  TRENTO_TOKEN=trento_pat_… trento-web mcp --server https://trento.example.com
  trento-web mcp --server https://trento.example.com --token-file ~/.config/trento/token --allow-writes`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			ctx, cancel := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer cancel()
			if bridge.Token, err = readToken(environ, tokenFile); err != nil {
				return err
			}
			if caFile = cmp.Or(caFile, getenv(environ, "TRENTO_CA_FILE")); caFile != "" {
				if bridge.Roots, err = client.ReadCertificates(caFile); err != nil {
					return fmt.Errorf("--ca: %w", err)
				}
			}
			bridge.Server = cmp.Or(bridge.Server, getenv(environ, "TRENTO_SERVER"), "http://localhost:4000")
			bridge.In, bridge.Out = os.Stdin, os.Stdout
			return bridge.Run(ctx)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&bridge.Server, "server", "", "address of the server; otherwise TRENTO_SERVER, or http://localhost:4000")
	flags.StringVar(&tokenFile, "token-file", "", "read the token from the first line of `FILE`")
	flags.StringVar(&caFile, "ca", "", "trust the certificates in `FILE`, such as tls/self-signed.crt of the server's data directory")
	flags.BoolVar(&bridge.Writes, "allow-writes", false, "offer tools that change something, too, such as those for tags")
	return cmd
}

// readToken returns the personal access token of a command.
func readToken(environ []string, file string) (string, error) {
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("--token-file: %w", err)
		}
		defer f.Close()
		token, err := readPassword(f)
		if err != nil {
			return "", fmt.Errorf("--token-file: %s has no token in its first line", file)
		}
		return strings.TrimSpace(token), nil
	}
	if token := strings.TrimSpace(getenv(environ, "TRENTO_TOKEN")); token != "" {
		return token, nil
	}
	return "", errors.New("there is no token: set TRENTO_TOKEN, or name a file with --token-file. Tokens are made in the console, under Profile")
}
