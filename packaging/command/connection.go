package command

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"trento/packaging/client"
	"trento/packaging/config"
	"trento/packaging/server"
)

// The environment variables of the commands that ask a server.
const (
	serverVariable = "TRENTO_SERVER"
	tokenVariable  = "TRENTO_TOKEN"
	caFileVariable = "TRENTO_CA_FILE"
)

// localServer is the value of --server for the server on this machine.
const localServer = "local"

// connectionHelp ends the help of each command that asks a server.
const connectionHelp = `

The server is, in this order: --server; the one of --config, on this machine; TRENTO_SERVER; the one of "trento-web login"; the
one that runs on this machine, for root and the user it runs as. TRENTO_TOKEN is a token for TRENTO_SERVER, and TRENTO_CA_FILE
names certificates to trust.`

// connection chooses the server that a command asks.
type connection struct {
	loader *configLoader
	server string // value of --server
	caFile string // value of --ca
}

// addFlags adds the flags that choose the server.
func (c *connection) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.server, "server", "", "ask the server with this `ADDRESS` or name of a login, or the one on this machine: local")
	cmd.Flags().StringVar(&c.caFile, "ca", "", "trust the certificates in `FILE`, in PEM format")
	_ = cmd.RegisterFlagCompletionFunc("server", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		l, err := readLogins(c.loader.environ)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return append(l.names(), localServer), cobra.ShellCompDirectiveNoFileComp
	}) // fails only for a flag that does not exist
}

// open returns the server that the flags, the environment and the logins
// choose.
func (c *connection) open(cmd *cobra.Command) (*client.Server, error) {
	o, err := c.options(cmd)
	if err != nil {
		return nil, err
	}
	o.Agent = "trento-web/" + server.Version()
	return client.New(o)
}

func (c *connection) options(cmd *cobra.Command) (client.Options, error) {
	local := c.server == localServer
	if c.loader.file != "" {
		if c.server != "" && !local {
			return client.Options{}, usageError("--config means the server on this machine; leave out either it or --server")
		}
		local = true
	}
	if local {
		conf, err := c.loader.load(cmd.ErrOrStderr())
		return client.Options{Socket: server.CommandSocket(conf)}, err
	}
	l, err := readLogins(c.loader.environ)
	if err != nil {
		return client.Options{}, err
	}
	if o, named, err := c.remoteOptions(l); named {
		return o, err
	}
	return c.localOptions(l)
}

// remoteOptions returns the options for the server that is named by the flags, the
// environment or the current login. named is false if none is named.
func (c *connection) remoteOptions(l *logins) (o client.Options, named bool, err error) {
	token := getenv(c.loader.environ, tokenVariable)
	caFile := getenv(c.loader.environ, caFileVariable)
	name := cmp.Or(c.server, getenv(c.loader.environ, serverVariable))
	chosen := l.find(cmp.Or(name, l.Current))
	switch {
	case chosen != nil && (c.server != "" || token == ""):
		// If --server names a login, the token of the login is used and not the
		// token in the environment, which may be for another server.
		return client.Options{Address: chosen.Address, Token: chosen.Token, CAFile: cmp.Or(c.caFile, chosen.CAFile, caFile)}, true, nil
	case chosen != nil:
		return client.Options{Address: chosen.Address, Token: token, CAFile: cmp.Or(c.caFile, chosen.CAFile, caFile)}, true, nil
	case name != "":
		o, err = optionsOfAddress(name, token, cmp.Or(c.caFile, caFile), l)
		return o, true, err
	}
	return client.Options{}, false, nil
}

// optionsOfAddress returns the options for a server without a login.
func optionsOfAddress(address, token, caFile string, l *logins) (client.Options, error) {
	if !strings.Contains(address, "://") {
		known := "there are none yet"
		if names := l.names(); len(names) > 0 {
			known = "there are " + strings.Join(names, ", ")
		}
		return client.Options{}, usageError("%q is neither an address, such as https://HOST:PORT, nor the name of a login; %s", address, known)
	}
	if token == "" {
		return client.Options{}, notSignedInError("there is no token for %s: run \"trento-web login --server %s\", or set %s", address, address, tokenVariable)
	}
	return client.Options{Address: address, Token: token, CAFile: caFile}, nil
}

// localOptions returns the options for the server on this machine. If no server
// runs here, it fails and says how to choose one.
func (c *connection) localOptions(l *logins) (client.Options, error) {
	conf, _, err := config.Load("", c.loader.environ, adminRules())
	where := ""
	if err == nil {
		where = " with the data in " + conf.DataDir
		socket := server.CommandSocket(conf)
		if _, err := os.Stat(socket); err == nil {
			return client.Options{Socket: socket}, nil
		} else if errors.Is(err, os.ErrPermission) {
			return client.Options{}, notSignedInError("a server runs on this machine, but only root and its user may ask it without a token; run this as root, or \"trento-web login\"")
		}
	}
	if len(l.Logins) > 0 {
		return client.Options{}, notSignedInError("no server is chosen: run \"trento-web login use NAME\" with one of %s", strings.Join(l.names(), ", "))
	}
	return client.Options{}, notSignedInError("no server is chosen, and none runs on this machine%s: run \"trento-web login --server https://HOST:PORT\", or set %s and %s", where, serverVariable, tokenVariable)
}

// The exit statuses of the commands that ask a server, beside 0.
const (
	statusFailed      exitStatus = 1 // the server refuses, or something else failed
	statusUsage       exitStatus = 2 // the command line is wrong
	statusUnreachable exitStatus = 3 // no server answers
	statusNotAllowed  exitStatus = 4 // not signed in, or not permitted
	statusNoSuchName  exitStatus = 5 // no object, or more than one, has the given name
)

// exitHelp ends the help of each command that asks a server.
const exitHelp = "\n\nExit status: 0 done, 1 the server refuses it, 2 wrong use, 3 no server answers, 4 not signed in or not permitted, 5 no such name."

// failure is an error with the exit status of the process.
type failure struct {
	error
	status exitStatus
}

func usageError(format string, args ...any) error {
	return failure{fmt.Errorf(format, args...), statusUsage}
}

func notSignedInError(format string, args ...any) error {
	return failure{fmt.Errorf(format, args...), statusNotAllowed}
}

func noSuchNameError(format string, args ...any) error {
	return failure{fmt.Errorf(format, args...), statusNoSuchName}
}

// statusOfError returns the exit status of the process for an error of a command.
func statusOfError(err error) exitStatus {
	if f, ok := errors.AsType[failure](err); ok {
		return f.status
	}
	if _, ok := errors.AsType[*client.Unreachable](err); ok {
		return statusUnreachable
	}
	if r, ok := errors.AsType[*client.Refusal](err); ok && (r.Status == 401 || r.Status == 403) {
		return statusNotAllowed
	}
	return statusFailed
}

// addToCommand prepares a command that asks a server: it adds the flags that
// choose the server, the exit statuses, and the help about both.
func (c *connection) addToCommand(cmd *cobra.Command) {
	c.addFlags(cmd)
	cmd.Long += connectionHelp + exitHelp
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return failure{err, statusUsage} })
	if args := cmd.Args; args != nil {
		cmd.Args = func(cmd *cobra.Command, given []string) error {
			if err := args(cmd, given); err != nil {
				return usageError("%w; the form is: %s", err, cmd.UseLine())
			}
			return nil
		}
	}
}
