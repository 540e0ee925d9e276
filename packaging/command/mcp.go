package command

import (
	"cmp"
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
func newMCP(l *configLoader) *cobra.Command {
	bridge := mcp.Bridge{Version: server.Version()}
	c := &connection{loader: l}
	var tokenFile string
	cmd := &cobra.Command{
		Use: "mcp", Short: "Give an assistant the tools of a server (Model Context Protocol over stdio)", Args: cobra.NoArgs,
		Long: "Give an assistant on this machine the tools of a server: the Model Context Protocol (MCP) over standard input and output.\n" +
			"The assistant starts it. It can do what the personal access token may, and changes nothing unless --allow-writes is given.\n" +
			"The token is that of \"trento-web login\", or comes from the environment variable TRENTO_TOKEN or from --token-file: everybody\n" +
			"on the machine can see arguments.\n" +
			"A client that speaks MCP over HTTP needs no command: it connects to /mcp of the server.",
		Example: `  trento-web login --server https://trento.example.com && trento-web mcp
  TRENTO_TOKEN=trento_pat_… trento-web mcp --server https://trento.example.com
  trento-web mcp --server https://trento.example.com --token-file ~/.config/trento/token --allow-writes`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer cancel()
			o, err := c.assistantOptions(tokenFile)
			if err != nil {
				return err
			}
			if o.CAFile != "" {
				if bridge.Roots, err = client.ReadCertificates(o.CAFile); err != nil {
					return fmt.Errorf("--ca: %w", err)
				}
			}
			bridge.Server, bridge.Token = o.Address, o.Token
			bridge.In, bridge.Out = os.Stdin, os.Stdout
			return bridge.Run(ctx)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&c.server, "server", "", "`ADDRESS` of the server or name of a login; otherwise TRENTO_SERVER, the current login, or http://localhost:4000")
	flags.StringVar(&tokenFile, "token-file", "", "read the token from the first line of `FILE`")
	flags.StringVar(&c.caFile, "ca", "", "trust the certificates in `FILE`, such as tls/self-signed.crt of the server's data directory")
	flags.BoolVar(&bridge.Writes, "allow-writes", false, "offer tools that change something, too, such as those for tags")
	return cmd
}

// assistantOptions returns the options for the server whose tools an assistant
// gets.
func (c *connection) assistantOptions(tokenFile string) (client.Options, error) {
	o := client.Options{
		Address: cmp.Or(c.server, getenv(c.loader.environ, serverVariable), "http://localhost:4000"),
		Token:   strings.TrimSpace(getenv(c.loader.environ, tokenVariable)),
		CAFile:  cmp.Or(c.caFile, getenv(c.loader.environ, caFileVariable)),
	}
	if tokenFile != "" {
		token, err := readTokenFile(tokenFile)
		o.Token = token
		return o, err
	}
	l, err := readLogins(c.loader.environ)
	if err != nil {
		return o, err
	}
	if chosen, named, err := c.remoteOptions(l); named {
		return chosen, err
	}
	if o.Token == "" {
		return o, notSignedInError("there is no token: set TRENTO_TOKEN, name a file with --token-file, or run \"trento-web login\"")
	}
	return o, nil
}

// readTokenFile returns the token in the first line of a file.
func readTokenFile(file string) (string, error) {
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
