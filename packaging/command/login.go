package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"trento/packaging/client"
	"trento/packaging/server"
)

// loginCall is one run of trento-web login.
type loginCall struct {
	loader     *configLoader
	server     string
	caFile     string
	name       string
	scopes     []string
	tokenStdin bool
	noBrowser  bool
}

// newLogin returns the command that keeps a token for a server.
func newLogin(l *configLoader) *cobra.Command {
	i := &loginCall{loader: l}
	cmd := &cobra.Command{
		Use: "login", Short: "Sign in to a server, for the commands get, tag, cleanup and mcp", Args: requireKnownCommand,
		Long: "Sign in to a server, for the commands get, tag, cleanup and mcp: shows the page of the console on which you make a personal\n" +
			"access token, with its name and scopes filled in, waits until you paste its text, which is not shown, and checks it.\n" +
			"The token is kept in trento-web/" + loginsFile + " in the directory of your configuration ($XDG_CONFIG_HOME or ~/.config), where only\n" +
			"you can read it. Signing in to several servers is possible; --server NAME of each command chooses one." + exitHelp,
		Example: `  trento-web login --server https://trento.example.com
  trento-web login --server https://trento.example.com --scopes read_only,tags,housekeeping
  trento-web login --server https://trento.example.com --token-stdin < token.txt
  trento-web login --server http://test:4000 --name test
  trento-web login list
  trento-web login use test`,
		RunE: i.run,
	}
	flags := cmd.Flags()
	flags.StringVar(&i.server, "server", "", "`ADDRESS` of the server, or name of a login that gets another token; unset: TRENTO_SERVER")
	flags.StringVar(&i.caFile, "ca", "", "trust the certificates in `FILE`, in PEM format, now and later; unset: TRENTO_CA_FILE")
	flags.StringVar(&i.name, "name", "", "by which the server is chosen later; unset: its host name")
	flags.StringSliceVar(&i.scopes, "scopes", []string{"read_only"}, "what the token is to be used for")
	flags.BoolVar(&i.tokenStdin, "token-stdin", false, "read the token from the first line of the standard input")
	flags.BoolVar(&i.noBrowser, "no-browser", false, "print the address of the page only, and do not open it")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return failure{err, statusUsage} })
	cmd.AddCommand(newLoginList(l), newLoginUse(l))
	return cmd
}

func (i *loginCall) run(cmd *cobra.Command, _ []string) error {
	all, err := readLogins(i.loader.environ)
	if err != nil {
		return err
	}
	added, err := i.newLogin(all)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if i.tokenStdin {
		added.Token, err = readPassword(cmd.InOrStdin())
		if err != nil {
			return errors.New("there is no token on the standard input")
		}
	} else if added.Token, err = i.askToken(ctx, cmd, added); err != nil {
		return err
	}
	added.Token = strings.TrimSpace(added.Token)
	if added.Token == "" || strings.ContainsAny(added.Token, " \t") {
		return usageError("that is not a token: it is one word that begins with trento_pat_")
	}
	if added.User, err = userOfLogin(ctx, added); err != nil {
		return err
	}
	all.put(added)
	if err := all.save(); err != nil {
		return err
	}
	as := ""
	if added.User != "" {
		as = " as " + replaceControlChars(added.User)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Signed in to %s%s. Try: trento-web get health\n", added.Address, as)
	if strings.HasPrefix(added.Address, "http://") && !isLoopback(added.Address) {
		fmt.Fprintln(cmd.ErrOrStderr(), "trento-web: note: without https, everybody on the way to the server can read the token")
	}
	return nil
}

// newLogin returns the login that the flags ask for, without its token.
func (i *loginCall) newLogin(all *logins) (login, error) {
	named := cmp.Or(i.server, getenv(i.loader.environ, serverVariable))
	if named == "" {
		return login{}, usageError("name the server: trento-web login --server https://HOST:PORT")
	}
	caFile := cmp.Or(i.caFile, getenv(i.loader.environ, caFileVariable))
	if caFile != "" {
		absolute, err := filepath.Abs(caFile)
		if err != nil {
			return login{}, err
		}
		caFile = absolute
	}
	if present := all.find(named); present != nil {
		return login{Name: cmp.Or(i.name, present.Name), Address: present.Address, CAFile: cmp.Or(caFile, present.CAFile), Since: time.Now().UTC()}, nil
	}
	address, err := client.CheckAddress(named)
	if err != nil {
		return login{}, failure{err, statusUsage}
	}
	name := i.name
	if name == "" {
		u, _ := url.Parse(address) // CheckAddress has read it
		name = u.Hostname()
		if all.find(name) != nil {
			name = u.Host
		}
	}
	if name == localServer || strings.Contains(name, "://") {
		return login{}, usageError("a login cannot have the name %q: choose another with --name", name)
	}
	return login{Name: name, Address: address, CAFile: caFile, Since: time.Now().UTC()}, nil
}

func isLoopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127.") || u.Hostname() == "::1")
}

// askToken shows the page for creating a token, and reads the token from the
// terminal without showing it.
func (i *loginCall) askToken(ctx context.Context, cmd *cobra.Command, l login) (string, error) {
	if !isTerminal(cmd.InOrStdin()) {
		return "", usageError("there is no terminal to paste the token into; use --token-stdin")
	}
	s, err := newServer(l)
	if err != nil {
		return "", err
	}
	if err := s.Reach(ctx); err != nil { // fail before the user creates a token
		return "", err
	}
	page := tokenPage(l.Address, i.scopes)
	token, err := askHidden(ctx, int(cmd.InOrStdin().(*os.File).Fd()), func() {
		fmt.Fprintf(cmd.ErrOrStderr(), "Make a token on this page, and copy its text:\n\n  %s\n\n", page)
		if !i.noBrowser {
			openBrowser(i.loader.environ, page)
		}
		fmt.Fprint(cmd.ErrOrStderr(), "Paste the token (it is not shown): ")
	})
	fmt.Fprintln(cmd.ErrOrStderr())
	return token, err
}

// tokenPage returns the address of the form for a new token with these scopes.
func tokenPage(address string, scopes []string) string {
	name := "trento-web"
	if host, err := os.Hostname(); err == nil {
		name += " on " + host
	}
	return address + "/profile/tokens/new?" + url.Values{"name": {name}, "scope": scopes}.Encode()
}

// openBrowser opens a page in the browser of the desktop, if there is one. It
// ignores failures, because the address is printed as well.
func openBrowser(environ []string, page string) {
	if getenv(environ, "DISPLAY") == "" && getenv(environ, "WAYLAND_DISPLAY") == "" {
		return
	}
	opener := exec.Command("xdg-open", page)
	if opener.Start() == nil {
		go opener.Wait()
	}
}

// askHidden asks on a terminal, and reads a line without showing it. What is typed
// is hidden before the question appears: some answers come at once.
func askHidden(ctx context.Context, fd int, ask func()) (string, error) {
	state, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	if err := hideInput(fd); err != nil {
		return "", err
	}
	defer term.Restore(fd, state) // otherwise the shell would not show what is typed
	ask()
	type result struct {
		line []byte
		err  error
	}
	read := make(chan result, 1)
	go func() {
		line, err := term.ReadPassword(fd)
		read <- result{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", errors.New("interrupted; nothing was changed")
	case r := <-read:
		if errors.Is(r.err, io.EOF) {
			return "", errors.New("nothing was pasted; nothing was changed")
		}
		return string(r.line), r.err
	}
}

// hideInput makes a terminal not show what is typed.
func hideInput(fd int) error {
	settings, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	settings.Lflag &^= unix.ECHO
	return unix.IoctlSetTermios(fd, unix.TCSETS, settings)
}

// newServer returns the server of a login.
func newServer(l login) (*client.Server, error) {
	return client.New(client.Options{Address: l.Address, CAFile: l.CAFile, Token: l.Token, Agent: "trento-web/" + server.Version()})
}

// userOfLogin checks the token of a login, and returns the name of its user; ""
// if the token may not read the profile.
func userOfLogin(ctx context.Context, l login) (string, error) {
	s, err := newServer(l)
	if err != nil {
		return "", err
	}
	answer, err := s.ReadProfileWithResponse(ctx)
	if refusal, ok := errors.AsType[*client.Refusal](err); ok && refusal.Status == 403 {
		return "", nil // the token is valid, but may not read the profile
	} else if err != nil {
		return "", err
	}
	return answer.JSON200.Username, nil
}

func newLoginList(l *configLoader) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the servers you have signed in to", Args: cobra.NoArgs, Example: "  trento-web login list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := readLogins(l.environ)
			if err != nil {
				return err
			}
			if len(all.Logins) == 0 {
				_, err := fmt.Fprintln(cmd.ErrOrStderr(), `You have signed in to no server: run "trento-web login --server https://HOST:PORT".`)
				return err
			}
			table := newTable(cmd.OutOrStdout(), "CURRENT", "NAME", "ADDRESS", "USER", "SINCE")
			for i := range all.Logins {
				current := ""
				if all.Logins[i].Name == all.Current {
					current = "*"
				}
				table.row(current, all.Logins[i].Name, all.Logins[i].Address, textOf(&all.Logins[i].User), timeOf(&all.Logins[i].Since))
			}
			return table.Flush()
		},
	}
}

// completeLogins completes the names of logins.
func completeLogins(l *configLoader) cobra.CompletionFunc {
	return func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		all, err := readLogins(l.environ)
		if err != nil || len(given) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return all.names(), cobra.ShellCompDirectiveNoFileComp
	}
}

func unknownLogin(name string) error {
	return noSuchNameError("you have not signed in to %q; \"trento-web login list\" lists where you have", name)
}

func newLoginUse(l *configLoader) *cobra.Command {
	return &cobra.Command{
		Use: "use NAME", Short: "Choose the server that is asked from now on", Args: cobra.ExactArgs(1), Example: "  trento-web login use test",
		ValidArgsFunction: completeLogins(l),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := readLogins(l.environ)
			if err != nil {
				return err
			}
			chosen := all.find(args[0])
			if chosen == nil {
				return unknownLogin(args[0])
			}
			all.Current = chosen.Name
			if err := all.save(); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "From now on %s is asked, unless --server says otherwise.\n", chosen.Address)
			return err
		},
	}
}

// newLogout returns the command that deletes the stored token for a server.
func newLogout(l *configLoader) *cobra.Command {
	return &cobra.Command{
		Use: "logout [NAME]", Short: "Forget the token for a server", Args: cobra.MaximumNArgs(1),
		Long: "Forget the token for a server: the one with this name, or the current one. The server goes on accepting the token; delete\n" +
			"it on your profile in the console if it is not used elsewhere.",
		Example:           "  trento-web logout\n  trento-web logout test",
		ValidArgsFunction: completeLogins(l),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := readLogins(l.environ)
			if err != nil {
				return err
			}
			name := all.Current
			if len(args) > 0 {
				name = args[0]
			}
			gone := all.find(name)
			switch {
			case name == "":
				return noSuchNameError("no server is chosen; \"trento-web login list\" lists those you have signed in to")
			case gone == nil:
				return unknownLogin(name)
			}
			address := gone.Address
			all.delete(gone.Name)
			if err := all.save(); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The token for %s is forgotten here. To delete it for good: %s/profile#tokens\n", address, address)
			return err
		},
	}
}
