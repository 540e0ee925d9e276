// Package server runs the server. It opens store, index and port, runs the
// background tasks (listed in task.go), and stops all of them.
package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"trento/auth"
	"trento/packaging/certificate"
	"trento/packaging/config"
	"trento/packaging/connection"
	"trento/packaging/daemon"
	"trento/packaging/memory"
	"trento/search"
	"trento/store"
	"trento/store/backup"
	"trento/store/discovery/fleet"
	"trento/store/message"
	"trento/ui"
	"trento/ui/alerting"
	"trento/ui/amqp"
	"trento/ui/api"
	"trento/ui/eventing"
	"trento/ui/execution"
	"trento/ui/metrics"
	"trento/ui/page"
)

// Options are the settings of Run.
type Options struct {
	Config config.Config
	// ConfigFile is the file of --config, and Notices what was found when the
	// configuration was read.
	ConfigFile string
	Notices    []config.Notice
	Stdout     io.Writer // receives the address of the console and how to sign in
	Stderr     io.Writer // receives the log
	// Demo is a generated landscape that reports to the server, whose data are
	// thrown away at the end. nil: the server is a real one.
	Demo *fleet.Fleet
}

// server is one run of the server, from opening to closing.
type server struct {
	config     config.Config
	configFile string
	notices    []config.Notice
	log        *slog.Logger
	store      *store.Store
	index      *search.Index
	auth       *auth.Auth
	http       *http.Server
	listener   *connection.Listener
	// commands answers requests of commands on this machine, which arrive at
	// commandListener.
	commands        *http.Server
	commandListener net.Listener
	backups         *backup.Source
	examiner        *examiner
	alerting        *alerting.Channels
	forwarders      []*forwarder
	metrics         *metrics.Metrics
	webhooks        *eventing.Webhooks
	executions      *execution.Runner
	demo            *fleet.Fleet   // nil: the server is a real one
	runningTasks    sync.WaitGroup // counts the running tasks
	// certificate is nil without TLS. redirects sends requests without TLS on to
	// https; nil if there is no port for them.
	certificate      *certificate.Keeper
	redirects        *http.Server
	redirectListener *connection.Listener
	// messages sends messages to agents. It is endpoint, the message endpoint
	// of this server, or externalBroker. All three are nil if agents get no
	// messages.
	messages         message.Bus
	internalBroker   *amqp.Broker
	messageListeners []net.Listener // without and with TLS
	// plainMessagePort is the port without TLS, and secureMessagePort that with
	// TLS; 0: there is none.
	plainMessagePort, secureMessagePort int
	externalBroker                      *amqp.External
	// passwordFile is the file with the generated password of the default
	// admin; "" if the password is configured.
	passwordFile string
}

// shutdownTimeout is how long requests may take to return after their contexts
// have ended.
const shutdownTimeout = 3 * time.Second

// indexDir is the directory of the search index in the data directory.
const indexDir = "index"

// maxStreams is the largest number of concurrent requests on one HTTP/2
// connection. A browser with several tabs needs fewer.
const maxStreams = 100

// Run runs the server until ctx is done, or until a task fails that has no
// period.
func Run(ctx context.Context, o Options) (err error) {
	// A write beyond the largest permitted size of a file is an error like that
	// of a full disk, and does not end the process.
	signal.Ignore(syscall.SIGXFSZ)
	log := slog.New(slog.NewTextHandler(o.Stderr, &slog.HandlerOptions{Level: o.Config.Level(), ReplaceAttr: maskTokens}))
	s := &server{config: o.Config, configFile: o.ConfigFile, notices: o.Notices, log: log, demo: o.Demo, metrics: metrics.New(Version())}
	s.examiner = &examiner{server: s}
	defer func() { err = errors.Join(err, s.closeAll()) }()
	if err := s.openAll(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	s.commands.BaseContext = func(net.Listener) context.Context { return auth.WithLocalCaller(ctx) }

	failed := s.start(ctx, s.tasks())
	if err := errors.Join(s.announce(o.Stdout), daemon.Ready()); err != nil {
		return errors.Join(err, s.stop(cancel))
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	log.Info("stopping")
	return errors.Join(err, daemon.Stopping(), s.stop(cancel))
}

// maskTokens removes personal access tokens from the log. People can paste them
// into addresses and headers, which appear in error texts.
func maskTokens(_ []string, a slog.Attr) slog.Attr {
	if text := a.Value.String(); strings.Contains(text, store.TokenPrefix) {
		a.Value = slog.StringValue(store.MaskTokens(text))
	}
	return a
}

// openAll opens everything in the order in which it is needed.
func (s *server) openAll(ctx context.Context) (err error) {
	limit, err := memory.Limit()
	if err != nil {
		s.log.Warn("the memory the machine or unit allows is not known, so it is not observed", "error", err)
	}
	s.log.Debug("memory limit", "bytes", limit)
	if err := s.openCertificate(ctx); err != nil {
		return err
	}
	if err := errors.Join(s.listen(), s.listenForRedirects(), s.listenForMessages()); err != nil {
		return err
	}
	if err := s.openStore(ctx); err != nil {
		return err
	}
	if err := s.makeCertificate(ctx); err != nil {
		return err
	}
	admin := auth.Admin{Email: s.config.AdminEmail, Password: string(s.config.AdminPassword)}
	if s.passwordFile, err = s.auth.EnsureAdmin(ctx, admin, s.config.DataDir); err != nil {
		return err
	}
	if err := s.auth.EnsureMessageCredential(ctx); err != nil {
		return err
	}
	if s.index, err = search.Open(filepath.Join(s.config.DataDir, indexDir), s.store, s.log); err != nil {
		return err
	}
	s.index.Batched = s.metrics.Batched
	if err := s.openMessages(); err != nil {
		return err
	}
	s.executions = s.newExecutions()
	s.backups = s.backupSource()
	s.webhooks = eventing.New(s.store, s.auth, nil)
	if s.alerting, err = newAlerting(s.config); err != nil {
		return err
	}
	s.forwarders = newForwarders(s.config, s.store, s.log)
	handler, err := ui.New(ui.Options{
		Certificate: s.describeCertificate(),
		Store:       s.store, Auth: s.auth, Search: s.index, Messages: s.messages, Endpoint: s.internalBroker, Version: Version(), Log: s.log,
		Doctor:        &api.Doctor{Report: s.examiner.Report, WriteSupport: s.examiner.WriteSupport},
		DocumentedURL: s.config.OASServerURL,
		Demo:          s.demo != nil,
		Encrypted:     s.certificateState().Encrypts(), LastBackup: s.lastBackup,
		HSTSMaxAge: s.config.HSTSMaxAge, Backup: s.backups, BackupSchedule: s.backupSchedule(), Alerting: s.alerting, Forwarding: s.forwardStatuses, Webhooks: s.webhooks,
		Executions: s.executions,
		Metrics:    s.metrics, MCP: mcpModes[s.config.MCPAccess],
	})
	if err != nil {
		return err
	}
	s.http = s.newHTTPServer(handler)
	s.http.ConnState = s.listener.ConnState
	s.openRedirects()
	return s.listenForCommands(handler)
}

// mcpModes are the modes for the values of MCP_ACCESS.
var mcpModes = map[string]page.MCPMode{"off": page.MCPOff, "read": page.MCPRead, "write": page.MCPWrite}

// serveHTTP answers requests for console and API until the server is shut down.
func (s *server) serveHTTP(context.Context) error {
	if s.certificate == nil {
		return s.http.Serve(s.listener)
	}
	s.http.TLSConfig = s.certificate.ServerConfig()
	return s.http.ServeTLS(s.listener, "", "") // the configuration has the certificate
}

func (s *server) newHTTPServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// stop ends requests and tasks, and waits for them. end cancels their context,
// which also ends the event streams.
func (s *server) stop(end context.CancelFunc) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	end()
	servers := []*http.Server{s.http, s.commands}
	if s.redirects != nil {
		servers = append(servers, s.redirects)
	}
	var err error
	for _, h := range servers {
		err = errors.Join(err, h.Shutdown(ctx))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("requests that had not ended were cut off", "after", shutdownTimeout)
		err = nil
		for _, h := range servers {
			err = errors.Join(err, h.Close())
		}
	}
	s.runningTasks.Wait() // the index must not be closed while a task uses it
	return err
}

// closeAll closes what was opened, in reverse order.
func (s *server) closeAll() (err error) {
	if s.listener != nil {
		s.listener.Close() // fails if it was closed after serving requests
	}
	if s.redirectListener != nil {
		s.redirectListener.Close()
	}
	for _, l := range s.messageListeners {
		l.Close()
	}
	if s.commandListener != nil {
		s.commandListener.Close()
	}
	if s.index != nil {
		err = s.index.Close()
	}
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
	}
	return err
}
