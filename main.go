// Trento-web watches SAP landscapes: agents report to it, people look at its
// console, programs ask its API. See README.md.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"trento/auth"
	"trento/packaging/config"
	"trento/packaging/connection"
	"trento/packaging/daemon"
	"trento/packaging/memory"
	"trento/search"
	"trento/store"
	"trento/store/discovery/fleet"
	"trento/ui"
	"trento/ui/api"
)

func main() {
	if err := command(os.Environ()).Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "trento-web:", err)
		os.Exit(1)
	}
}

// adminRules are what package auth demands of the default admin.
func adminRules() config.Rules {
	return config.Rules{Username: auth.UsernameFaults, Email: auth.EmailFaults, Password: auth.CheckPasswordRules}
}

// command is the command line: serve, unless another command is named.
func command(environ []string) *cobra.Command {
	var file string
	load := func(stderr io.Writer) (config.Config, error) {
		c, notices, err := config.Load(file, environ, adminRules())
		for _, n := range notices {
			fmt.Fprintln(stderr, "trento-web: note:", n)
		}
		return c, err
	}
	serving := func(cmd *cobra.Command, _ []string) error {
		c, err := load(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		return daemon.Run(cmd.Context(), func(ctx context.Context) error {
			return serve(ctx, c, cmd.ErrOrStderr(), func(a *appliance) error {
				return a.announce(cmd.OutOrStdout(), a.whereIsPassword())
			})
		})
	}
	root := &cobra.Command{
		Use:   "trento-web",
		Short: "Watch SAP landscapes: console, API and agent endpoints in one program",
		Long:  "Watch SAP landscapes: console, API and agent endpoints in one program.\nWithout a command it serves; see \"trento-web serve --help\".",
		Example: `  trento-web                                        serve, with the data in ./trento-data
  trento-web demo                                   look at it with an invented landscape
  trento-web --config /etc/trento/trento-web        serve as the service does
  PORT=8080 LISTEN=127.0.0.1 trento-web serve       behind a reverse proxy on this machine
  trento-web config --example > trento-web.conf     begin a configuration file`,
		Args:          knownCommand,
		RunE:          serving,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&file, "config", "", "read NAME=value settings from `FILE`, as systemd does from /etc/trento/trento-web")
	root.AddCommand(
		&cobra.Command{
			Use: "serve", Short: "Run the server until it is told to stop", Args: cobra.NoArgs, RunE: serving,
			Long: "Run the server until it is told to stop. It is configured by environment variables and the file of --config;\n\"trento-web config\" shows them.",
			Example: `  trento-web serve --config /etc/trento/trento-web
  TRENTO_DATA_DIR=/srv/trento trento-web serve`,
		},
		configCommand(load),
		adminCommand(load),
		&cobra.Command{
			Use: "version", Short: "Show version, commit, date and Go version", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return printVersion(cmd.OutOrStdout()) },
		},
		serviceCommand(),
		demoCommand(environ),
		simulateCommand(),
	)
	return root
}

func configCommand(load func(io.Writer) (config.Config, error)) *cobra.Command {
	var example bool
	cmd := &cobra.Command{
		Use: "config", Short: "Show the configuration in force and where each value came from", Args: cobra.NoArgs,
		Example: `  trento-web config --config /etc/trento/trento-web
  trento-web config --example > trento-web.conf`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if example {
				return config.Example(cmd.OutOrStdout())
			}
			c, err := load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return c.Print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&example, "example", false, "write a commented configuration file instead")
	return cmd
}

// adminCommand is the way back in for those who have lost the password.
func adminCommand(load func(io.Writer) (config.Config, error)) *cobra.Command {
	var stdin bool
	reset := &cobra.Command{
		Use: "reset-password", Short: "Give the default admin another password, while the server is stopped", Args: cobra.NoArgs,
		Long: "Give the default admin another password, while the server is stopped. It is generated and written to the file\n" +
			"initial-admin-password in the data directory, or read from the standard input. All sessions of the admin end.\n" +
			"Run it as the user the server runs as, with the same configuration.",
		Example: `  trento-web admin reset-password --config /etc/trento/trento-web
  trento-web admin reset-password --stdin < password.txt`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			password := ""
			if stdin {
				if password, err = readPassword(cmd.InOrStdin()); err != nil {
					return err
				}
			}
			said, err := resetAdmin(cmd.Context(), c, password)
			if err == nil {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), said)
			}
			return err
		},
	}
	reset.Flags().BoolVar(&stdin, "stdin", false, "read the password from the first line of the standard input")
	cmd := &cobra.Command{Use: "admin", Short: "Look after the default admin", Args: knownCommand, RunE: showHelp}
	cmd.AddCommand(reset)
	return cmd
}

// readPassword reads one line.
func readPassword(from io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(from, 64<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("there is no password on the standard input")
	}
	return line, nil
}

// resetAdmin resets the password in a data directory nobody uses, and says
// what to do next.
func resetAdmin(ctx context.Context, c config.Config, password string) (said string, err error) {
	switch {
	case c.AdminPassword != "":
		return "", errors.New("ADMIN_PASSWORD is configured, and the next start would set that one again; change it there and restart the server instead")
	case !store.Exists(c.DataDir):
		return "", fmt.Errorf("there is no server's data in %s; set TRENTO_DATA_DIR, or name the configuration with --config", c.DataDir)
	}
	a := &appliance{config: c, log: slog.New(slog.DiscardHandler)}
	defer func() { err = errors.Join(err, a.close()) }()
	if err := a.openStore(); err != nil {
		return "", err
	}
	file, err := a.auth.ResetAdmin(ctx, auth.Admin{Email: c.AdminEmail, Password: password}, c.DataDir)
	if err != nil {
		return "", err
	}
	said = "The password of " + store.NormalUsername(c.AdminUser) + " is changed. Start the server and sign in."
	if file != "" {
		said = "The new password of " + store.NormalUsername(c.AdminUser) + " is in the file " + file + ". Start the server and sign in."
	}
	return said, nil
}

// version is the version the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel-" + s.Value[:min(len(s.Value), 12)]
		}
	}
	return "devel"
}

// printVersion says what this program was built from, and with what.
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
		version(), commit, modified, date, strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS, runtime.GOARCH)
	return err
}

// knownCommand refuses words behind a command that leads to others, with the
// commands that may have been meant.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	said := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		said += ": did you mean " + strings.Join(similar, " or ") + "?"
	}
	return fmt.Errorf("%s\nRun \"%s --help\" to see all commands", said, cmd.CommandPath())
}

// showHelp is what a command does that only leads to others.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// serviceCommand controls the service of a machine without our package. The
// service reads /etc/trento/trento-web.
func serviceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "service", Short: "Make this program a service of the machine, and control it", Args: knownCommand, RunE: showHelp,
		Example: `  sudo trento-web service install
  sudo trento-web service start
  trento-web service status`,
	}
	add := func(verb, short string, do func(*daemon.Control) error) {
		cmd.AddCommand(&cobra.Command{
			Use: verb, Short: short, Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				c, err := daemon.NewControl()
				if err != nil {
					return err
				}
				return do(c)
			},
		})
	}
	add("install", "Install and enable the service; it is configured by /etc/trento/trento-web", (*daemon.Control).Install)
	add("uninstall", "Stop and remove the service; the data stays", (*daemon.Control).Uninstall)
	add("start", "Start the service", (*daemon.Control).Start)
	add("stop", "Stop the service", (*daemon.Control).Stop)
	add("status", "Say whether the service runs", func(c *daemon.Control) error {
		status, err := c.Status()
		if err == nil {
			_, err = fmt.Fprintln(cmd.OutOrStdout(), status)
		}
		return err
	})
	return cmd
}

// appliance is the running server.
type appliance struct {
	config   config.Config
	log      *slog.Logger
	store    *store.Store
	index    *search.Index
	auth     *auth.Auth
	http     *http.Server
	listener *connection.Listener
	running  sync.WaitGroup // what background has started
	// passwordFile holds the generated password of the admin; empty where it
	// was configured.
	passwordFile string
}

// sweepInterval is how often lost heartbeats are looked for.
const sweepInterval = 10 * time.Second

// shutdownTime is how long requests under way have to return; their contexts
// are done.
const shutdownTime = 3 * time.Second

// maskTokens keeps the texts of personal access tokens out of the log, wherever
// they have been pasted: addresses, headers, errors about either.
func maskTokens(_ []string, a slog.Attr) slog.Attr {
	if text := a.Value.String(); strings.Contains(text, store.TokenPrefix) {
		a.Value = slog.StringValue(store.MaskTokens(text))
	}
	return a
}

// serve runs the appliance until ctx is done or something fails that it cannot
// do without. started is called once requests are answered.
func serve(ctx context.Context, c config.Config, stderr io.Writer, started func(*appliance) error) (err error) {
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: c.Level(), ReplaceAttr: maskTokens}))
	a := &appliance{config: c, log: log}
	defer func() { err = errors.Join(err, a.close()) }()
	if err := a.open(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.http.BaseContext = func(net.Listener) context.Context { return ctx }

	failed := make(chan error, 1) // the first counts
	a.background(ctx, failed)
	if err := errors.Join(started(a), daemon.Ready()); err != nil {
		return errors.Join(err, a.stop(cancel))
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	log.Info("stopping")
	return errors.Join(err, daemon.Stopping(), a.stop(cancel))
}

// openStore opens what is needed to know people: the file and the secrets.
func (a *appliance) openStore() (err error) {
	a.store, err = store.Open(a.config.DataDir, store.Options{
		Log:                    a.log,
		Program:                version(),
		HeartbeatInterval:      a.config.HostHeartbeatInterval,
		HeartbeatAllowedMissed: a.config.HostHeartbeatAllowedMissed,
		DiscardAge:             time.Duration(a.config.PruneOlderThan) * 24 * time.Hour,
		SessionIdle:            a.config.SessionIdle,
	})
	if errors.Is(err, store.ErrInUse) {
		return fmt.Errorf("the data directory %s is in use by another trento-web; stop that one, or set TRENTO_DATA_DIR", a.config.DataDir)
	}
	if err != nil {
		return err
	}
	if a.config, err = a.config.WithSecrets(); err != nil {
		return err
	}
	a.auth, err = auth.New(a.authOptions())
	return err
}

// listen takes the port. It comes before everything else: a start that fails
// for the port shall leave nothing on the disk. Who connects meanwhile is served
// once the rest is open.
func (a *appliance) listen() error {
	address := ""
	if a.config.Listen.IsValid() {
		address = a.config.Listen.String()
	}
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(a.config.Port)))
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return fmt.Errorf("LISTEN %s is no address of this machine: %w", address, err)
	}
	if err != nil {
		return fmt.Errorf("port %d cannot be used; is something else listening there? Set PORT to another one: %w", a.config.Port, err)
	}
	a.listener = connection.Limit(l, connection.Limits{
		Total: min(a.config.MaxConnections, connection.Affordable()), PerAddress: a.config.MaxConnectionsPerAddress, Exempt: a.config.TrustedProxies,
	}, a.log)
	return nil
}

// open opens everything in the order in which it is needed.
func (a *appliance) open(ctx context.Context) (err error) {
	limit, err := memory.Limit()
	if err != nil {
		a.log.Warn("the memory the machine or unit allows is not known, so it is not observed", "error", err)
	}
	a.log.Debug("memory limit", "bytes", limit)
	if err := a.listen(); err != nil {
		return err
	}
	if err := a.openStore(); err != nil {
		return err
	}
	admin := auth.Admin{Email: a.config.AdminEmail, Password: string(a.config.AdminPassword)}
	if a.passwordFile, err = a.auth.EnsureAdmin(ctx, admin, a.config.DataDir); err != nil {
		return err
	}
	if a.index, err = search.Open(filepath.Join(a.config.DataDir, "index"), a.store, a.log); err != nil {
		return err
	}
	handler, err := ui.New(ui.Options{Store: a.store, Auth: a.auth, Search: a.index, Version: version(), Log: a.log})
	if err != nil {
		return err
	}
	a.http = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
		ConnState:         a.listener.ConnState,
	}
	return nil
}

// background starts what runs beside the requests. What fails there ends the
// appliance.
func (a *appliance) background(ctx context.Context, failed chan<- error) {
	run := func(what string, fn func() error) {
		a.running.Go(func() {
			if err := fn(); err != nil && ctx.Err() == nil {
				select {
				case failed <- fmt.Errorf("%s: %w", what, err):
				default:
				}
			}
		})
	}
	run("http", func() error { return a.http.Serve(a.listener) })
	run("search index", func() error { return a.index.Run(ctx) })
	run("watchdog", func() error {
		return daemon.FeedWatchdog(ctx, a.store.Ready, a.log)
	})
	run("idle memory", func() error { return memory.ReturnIdle(ctx, a.log) })
	run("housekeeping", func() error { return a.housekeep(ctx) })
	run("retention", func() error { return a.retain(ctx) })
}

// housekeep does what has to be done from time to time.
func (a *appliance) housekeep(ctx context.Context) error {
	second, sweep, minute, expire := time.NewTicker(time.Second), time.NewTicker(sweepInterval), time.NewTicker(time.Minute), time.NewTicker(time.Hour)
	defer second.Stop()
	defer sweep.Stop()
	defer minute.Stop()
	defer expire.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return a.auth.LogCrowding(context.WithoutCancel(ctx))
		case <-second.C:
			err = a.store.FlushTokenUses(ctx)
		case <-sweep.C:
			err = a.store.MarkLostHosts(ctx)
		case <-minute.C:
			err = a.auth.LogCrowding(ctx)
		case <-expire.C:
			err = errors.Join(a.store.ExpireSessions(ctx), a.store.ExpireDiscards(ctx), a.store.PruneAgents(ctx))
		}
		if err != nil && ctx.Err() == nil {
			a.log.Error("housekeeping", "error", err)
		}
	}
}

// midnightInterval is how often is looked whether a day has begun.
const midnightInterval = time.Minute

// retain removes old entries of the activity log once a day. It may take a
// while after a long time, so nothing waits for it.
func (a *appliance) retain(ctx context.Context) error {
	midnight := time.NewTicker(midnightInterval)
	defer midnight.Stop()
	for {
		removed, err := a.store.ExpireActivity(ctx)
		if err != nil && ctx.Err() == nil {
			a.log.Error("old entries of the activity log are not removed", "error", err)
		}
		if removed > 0 {
			a.log.Info("old entries of the activity log removed", "entries", removed)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-midnight.C:
		}
	}
}

// stop ends the requests and all that runs beside them. end tells it to, and
// the streams, which last for ever.
func (a *appliance) stop(end context.CancelFunc) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	end()
	err := a.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = a.http.Close()
	}
	a.running.Wait() // the index must not be closed under whoever follows the log
	return err
}

// close closes in the reverse order of open whatever was opened.
func (a *appliance) close() (err error) {
	if a.listener != nil {
		a.listener.Close() // closed already where requests were served
	}
	if a.index != nil {
		err = a.index.Close()
	}
	if a.store != nil {
		err = errors.Join(err, a.store.Close())
	}
	return err
}

// url is the address of the console for somebody on this machine.
func (a *appliance) url() string {
	host := "localhost"
	if listen := a.config.Listen; listen.IsValid() && !listen.IsUnspecified() {
		host = listen.String()
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(a.port()))
}

func (a *appliance) port() int { return a.listener.Addr().(*net.TCPAddr).Port }

// agentURL is the address of this server for agents on other machines.
func (a *appliance) agentURL() string {
	listen := a.config.Listen
	switch {
	case listen.IsLoopback():
		return "the address of the reverse proxy in front of this server"
	case listen.IsValid() && !listen.IsUnspecified():
		return a.url()
	}
	host, err := os.Hostname()
	if err != nil {
		host = "THIS-HOST"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(a.port()))
}

func (a *appliance) whereIsPassword() string {
	if a.passwordFile == "" {
		return "as it was set"
	}
	return "in the file " + a.passwordFile
}

// announce prints where to look, how to sign in, and how to connect an agent.
func (a *appliance) announce(w io.Writer, password string) error {
	_, err := fmt.Fprintf(w, `
  Trento is running.

  Console   %s
  User      %s
  Password  %s
  Agents    server-url: %s
            api-key: see Settings in the console

`, a.url(), store.NormalUsername(a.config.AdminUser), password, a.agentURL())
	return err
}

func (a *appliance) authOptions() auth.Options {
	return auth.Options{
		Store: a.store,
		Secrets: auth.Secrets{
			Base: a.config.KeyBase(), Access: []byte(a.config.AccessSecret), Refresh: []byte(a.config.RefreshSecret),
		},
		SessionLifetime: a.config.SessionLifetime,
		TrustedProxies:  a.config.TrustedProxies,
		EnableAPIKey:    a.config.EnableAPIKey,
		Operations:      api.Operations(),
		Introspectors:   a.config.IntrospectionAllowed,
		AdminUser:       a.config.AdminUser,
		StrictPasswords: a.config.PasswordPolicy == "strict",
		Log:             a.log,
	}
}

// demoSeed makes every demo show the same landscape.
const demoSeed = 27

// demoCommand runs the appliance on a throw-away directory and feeds it a
// landscape through its own API.
func demoCommand(environ []string) *cobra.Command {
	var hosts int
	cmd := &cobra.Command{
		Use: "demo", Short: "Show a living landscape on a throw-away data directory", Args: cobra.NoArgs,
		Example: `  trento-web demo
  PORT=8080 trento-web demo --hosts 200`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			dir, err := os.MkdirTemp("", "trento-demo-")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
			c, _, err := config.Load("", append(environ, "TRENTO_DATA_DIR="+dir), adminRules())
			if err != nil {
				return err
			}
			return daemon.Run(cmd.Context(), func(ctx context.Context) error {
				return serve(ctx, c, cmd.ErrOrStderr(), func(a *appliance) error {
					return a.demonstrate(ctx, hosts, cmd.OutOrStdout())
				})
			})
		},
	}
	cmd.Flags().IntVar(&hosts, "hosts", 50, "how many hosts the landscape has")
	return cmd
}

// demonstrate announces the appliance and begins to feed it. The data is
// invented and short-lived, so the password is shown itself.
func (a *appliance) demonstrate(ctx context.Context, hosts int, w io.Writer) error {
	password := a.whereIsPassword()
	if a.passwordFile != "" {
		text, err := os.ReadFile(a.passwordFile)
		if err != nil {
			return err
		}
		password = strings.TrimSpace(string(text))
	}
	var key string
	err := a.store.View(func(tx *store.Tx) error {
		k, err := tx.APIKey()
		if err == nil {
			key = a.auth.APIKeyText(k)
		}
		return err
	})
	if err != nil {
		return err
	}
	go func() {
		err := fleet.Feed(ctx, fleet.FeedOptions{
			Server: a.url(), APIKey: key, Seed: demoSeed, Hosts: hosts, Heartbeats: true, StepEvery: 15 * time.Second,
		})
		if err != nil {
			a.log.Error("demo landscape", "error", err)
		}
	}()
	return a.announce(w, password)
}

// simulateCommand is the load generator.
func simulateCommand() *cobra.Command {
	o := fleet.FeedOptions{Heartbeats: true}
	var duration time.Duration
	cmd := &cobra.Command{
		Use: "simulate", Short: "Send a server the reports of an invented landscape", Args: cobra.NoArgs,
		Example: `  trento-web simulate --server http://localhost:4000 --api-key KEY --hosts 20
  trento-web simulate --api-key KEY --hosts 1000 --rate 50 --duration 10m`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer cancel()
			if duration > 0 {
				ctx, cancel = context.WithTimeout(ctx, duration)
				defer cancel()
			}
			o.Progress = func(s fleet.Stats) { fmt.Fprintln(cmd.OutOrStdout(), s) }
			return fleet.Feed(ctx, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Server, "server", "http://localhost:4000", "where the reports go")
	flags.StringVar(&o.APIKey, "api-key", "", "key of the agents, as Settings shows it")
	flags.IntVar(&o.Hosts, "hosts", 50, "how many hosts the landscape has")
	flags.Float64Var(&o.Rate, "rate", 0, "reports a second; 0 is the pace of agents")
	flags.Float64Var(&o.Changes, "changes", 0, "share of reports that differ from the one before, 0 to 1")
	flags.Uint64Var(&o.Seed, "seed", demoSeed, "which landscape")
	flags.BoolVar(&o.Once, "once", false, "end after every host has reported once")
	flags.BoolVar(&o.Heartbeats, "heartbeats", true, "send heartbeats too")
	flags.BoolVar(&o.Still, "still", false, "leave out what changes in every report and means nothing")
	flags.DurationVar(&o.StepEvery, "step", 0, "let the landscape change this often; 0 never")
	flags.DurationVar(&duration, "duration", 0, "end after this time; 0 runs until interrupted")
	return cmd
}
