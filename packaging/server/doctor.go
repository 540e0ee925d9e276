package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"trento/auth"
	"trento/packaging/config"
	"trento/packaging/connection"
	"trento/packaging/daemon"
	"trento/packaging/doctor"
	"trento/search"
	"trento/store"
	"trento/store/activity"
	"trento/store/finding"
	"trento/store/landscape"
)

// examiner examines the running server.
type examiner struct {
	server *server
	space  doctor.SpaceTrend

	askLock    sync.Mutex // held while other systems are asked
	mutex      sync.Mutex
	answeredAt time.Time
	answers    externalAnswers // last results
}

// externalAnswers are the results of asking other systems, which takes time.
// Pages show the last results.
type externalAnswers struct {
	provider *doctor.Provider
	hostName *doctor.HostName
	alerts   *doctor.Alerts
}

// askTimeout is how long all other systems together may take to answer.
const askTimeout = 15 * time.Second

// minAskInterval is the shortest time between two requests to other systems,
// however often a user presses the button.
const minAskInterval = 3 * time.Second

// queryExternalSystems asks the identity provider and the name service, checks the ways of
// alerting, and records the free disk space.
func (x *examiner) queryExternalSystems(ctx context.Context) error {
	x.askLock.Lock()
	defer x.askLock.Unlock()
	if time.Since(x.answeredAt) < minAskInterval { // another request has just asked them
		return nil
	}
	defer func() { x.answeredAt = time.Now() }()
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	c := x.server.config
	asked := askAll(ctx, c)
	asked.alerts = x.server.askAlerts(ctx)
	x.mutex.Lock()
	x.answers = asked
	x.mutex.Unlock()
	if d := doctor.ProbeDisk(c.DataDir, 0); d != nil {
		x.space.Add(x.server.store.Now(), d.Free)
	}
	return nil
}

// askAll asks all others at the same time.
func askAll(ctx context.Context, c config.Config) (a externalAnswers) {
	var asking sync.WaitGroup
	asking.Go(func() { a.provider = askProvider(ctx, c) })
	asking.Go(func() { a.hostName = doctor.ProbeHostName(ctx, hostOf(c.Origin), featureThatNeedsOrigin(c)) })
	asking.Wait()
	return a
}

// askAlerts checks whether mail and webhook can be reached, without sending
// anything.
func (s *server) askAlerts(ctx context.Context) *doctor.Alerts {
	var settings auth.AlertSettings
	err := s.store.View(func(tx *store.Tx) (err error) {
		settings, err = s.auth.AlertSettings(tx)
		return err
	})
	if err != nil || !settings.Enabled {
		return &doctor.Alerts{}
	}
	a := &doctor.Alerts{On: true, SecretsLost: settings.SecretsLost, Asked: true}
	if settings.SMTPServer != "" {
		a.Relay, _ = settings.SMTPHost()
		version, err := s.alerting.Relay(settings).Check(ctx)
		if err != nil {
			a.RelayFault = err.Error()
		}
		a.Encrypted = version != ""
	}
	if hook, err := url.Parse(settings.WebhookURL); err == nil && hook.Host != "" {
		a.Webhook = hook.Hostname()
		a.WebhookFault = doctor.ProbeHostName(ctx, a.Webhook, "").Fault
	}
	return a
}

// featureThatNeedsOrigin returns the feature that needs TRENTO_WEB_ORIGIN; "" if none does.
func featureThatNeedsOrigin(c config.Config) string {
	if c.TLSCertFile != "" || c.TLSSelfSigned {
		return "the check of the certificate"
	}
	return ""
}

// askProvider asks the identity provider, as trento-web sso check does.
func askProvider(ctx context.Context, c config.Config) *doctor.Provider {
	p := &doctor.Provider{Kind: providerKind(c)}
	if p.Kind == "" {
		return p
	}
	var err error
	if p.Findings, err = CheckProvider(ctx, c, discardLog); err != nil {
		p.Fault = err.Error()
	}
	p.Asked = true
	return p
}

func providerKind(c config.Config) string {
	switch {
	case c.EnableOIDC:
		return "OpenID Connect"
	case c.EnableOAuth2:
		return "OAuth 2.0"
	case c.EnableSAML:
		return "SAML"
	}
	return ""
}

// Report examines the server. If ask is set, it asks other systems again, which
// may take some seconds.
func (x *examiner) Report(ctx context.Context, ask bool) (*finding.Report, error) {
	if ask {
		if err := x.queryExternalSystems(ctx); err != nil {
			return nil, err
		}
	}
	s := x.server
	state, err := s.storedState(ctx)
	if err != nil {
		return nil, err
	}
	started := s.store.StartedAt().UTC().Truncate(time.Second)
	state.StartedAt = &started
	if s.notices != nil {
		state.Configuration = &doctor.Configuration{File: s.configFile, Notices: s.notices}
	}
	x.mutex.Lock()
	state.Provider, state.HostName, state.Alerts = x.answers.provider, x.answers.hostName, x.answers.alerts
	x.mutex.Unlock()
	if state.Provider == nil {
		state.Provider = &doctor.Provider{Kind: providerKind(s.config)}
	}
	if state.Alerts == nil {
		state.Alerts = &doctor.Alerts{On: true} // not checked yet
	}
	if state.HostName == nil {
		state.HostName = &doctor.HostName{Name: hostOf(s.config.Origin), Needs: featureThatNeedsOrigin(s.config)}
	}
	if state.Disk != nil {
		state.Disk.FullIn = x.space.FullIn()
	}
	s.addRunningState(state)
	return doctor.Examine(state), nil
}

// storedState returns what is known of the machine and the data, whether the
// server runs or not.
func (s *server) storedState(ctx context.Context) (*doctor.State, error) {
	c := s.config
	size, err := s.store.Size()
	if err != nil {
		return nil, err
	}
	state := &doctor.State{
		Now: s.store.Now(), Version: Version(), Files: doctor.ProbeFiles(c), Disk: doctor.ProbeDisk(c.DataDir, size), Clock: doctor.ProbeClock(),
		Data: &doctor.Data{Dir: c.DataDir, Size: size, Free: s.store.FreeSize()},
	}
	state.Backups = s.backupState(ctx)
	err = s.store.View(func(tx *store.Tx) error {
		key, err := tx.APIKey()
		if err != nil {
			return err
		}
		_, ends := key.DaysLeft(state.Now)
		days, soon := key.EndsSoon(state.Now)
		state.APIKey = &doctor.APIKey{Ends: ends, DaysLeft: days, Soon: soon}
		kept, err := tx.Retention()
		if err != nil {
			return err
		}
		state.Retention = &doctor.Retention{Text: kept.String(), Years: int(state.Now.Sub(kept.Cutoff(state.Now)) / (365 * 24 * time.Hour)), Bytes: size}
		state.Admin, err = s.adminState(tx)
		return err
	})
	return state, err
}

// adminState returns what is known of the default admin.
func (s *server) adminState(tx *store.Tx) (*doctor.Admin, error) {
	c := s.config
	name := store.NormalUsername(c.AdminUser)
	a := &doctor.Admin{Name: name}
	user, err := tx.UserNamed(name)
	if errors.Is(err, store.ErrNotFound) {
		return a, nil // the next start creates it
	}
	if err != nil {
		return nil, err
	}
	if providerKind(c) == "" && c.AdminPassword == "" {
		file := filepath.Join(c.DataDir, auth.InitialPasswordFile)
		if _, err := os.Stat(file); err == nil {
			a.PasswordFile = file
		}
		a.NeverChanged = user.LockVersion == firstLockVersion
	}
	a.Alone, err = auth.SoleManager(tx, user.ID, name)
	return a, err
}

// firstLockVersion is the version of an account that has never been changed.
const firstLockVersion = 1

// backupState returns what is known of the backups.
func (s *server) backupState(ctx context.Context) *doctor.Backups {
	schedule := s.backupSchedule()
	if schedule == nil {
		return &doctor.Backups{LastOther: s.lastBackup(ctx)}
	}
	b := &doctor.Backups{Dir: schedule.Dir, Encrypted: schedule.Passphrase != "", SameDisk: doctor.SameDisk(schedule.Dir, s.config.DataDir)}
	var err error
	if b.Newest, err = schedule.Newest(); err != nil {
		b.Fault = err.Error()
	}
	b.Overdue = schedule.Overdue(b.Newest)
	return b
}

// lastBackup returns when a backup was last made on request; the zero time if it
// is not known.
func (s *server) lastBackup(ctx context.Context) time.Time {
	if s.index == nil {
		return time.Time{}
	}
	page, err := s.index.Activity(ctx, activity.Filter{Types: []activity.Type{activity.TypeBackupCreation}}, search.Walk{Limit: 1, Reader: "trento-web doctor"})
	if err != nil || len(page.Entries) == 0 {
		return time.Time{}
	}
	return page.Entries[0].Position.Time()
}

// addRunningState adds what is only known while the server runs.
func (s *server) addRunningState(state *doctor.State) {
	c := s.config
	limit := debug.SetMemoryLimit(-1) // only reads it
	state.Memory = &doctor.Memory{Limit: limit}
	for _, f := range s.store.Failures().Present() {
		state.Failures = append(state.Failures, doctor.Failure{Critical: f.Critical(), Text: f.Text(), Advice: f.Advice(), Since: f.Since})
	}
	wanted := c.MaxConnections
	if s.internalBroker != nil {
		wanted = max(wanted, c.AMQPMaxConnections)
	}
	state.OpenFiles = &doctor.OpenFiles{Affordable: connection.Affordable() / 2, Wanted: wanted}
	systemd, watchdog := daemon.Supervision()
	state.Service = &doctor.Service{Systemd: systemd, Watchdog: watchdog}
	state.Certificate = s.certificateState()
	for _, address := range s.auth.UntrustedProxies() {
		state.Proxies = append(state.Proxies, address.String())
	}
	state.Index, state.Agents, state.Messages = &doctor.Index{}, &doctor.Agents{KeyOff: !c.EnableAPIKey}, s.messageState()
	err := s.store.View(func(tx *store.Tx) (err error) {
		if state.Index.Behind, err = s.index.Behind(tx, state.Now); err != nil {
			return err
		}
		return s.addAgents(tx, state)
	})
	if err != nil {
		state.Data.Fault = err.Error()
	}
	state.Agents.Refused = s.refusals(state.Now)
}

// certificateState describes the certificate that the running server uses.
func (s *server) certificateState() *doctor.Certificate {
	c := s.config
	state := &doctor.Certificate{
		On: c.TLS(), Proxy: len(c.TrustedProxies) > 0, Loopback: c.Listen.IsLoopback(), Source: "TLS_CERT_FILE",
	}
	switch {
	case c.TLSACMEDomain != "":
		state.Source = "TLS_ACME_DOMAIN"
	case c.TLSSelfSigned:
		state.Source = "TLS_SELF_SIGNED"
	}
	if s.certificate != nil {
		present := s.certificate.Status()
		state.Faults, state.Refused, state.SelfSigned = present.Faults, present.Refused, present.SelfSigned
	}
	return state
}

func (s *server) messageState() *doctor.Messages {
	m := &doctor.Messages{Off: s.messages == nil, Elsewhere: s.externalBroker != nil}
	if s.externalBroker != nil {
		if err := s.externalBroker.Down(); err != nil {
			m.Fault = err.Error()
		}
	}
	if s.internalBroker != nil {
		for agent := range s.internalBroker.ConnectionsByAgent() {
			if agent != "" {
				m.Connected++
			}
		}
	}
	return m
}

// addAgents adds what is known of the agents.
func (s *server) addAgents(tx *store.Tx, state *doctor.State) error {
	agents, err := tx.Agents()
	if err != nil {
		return err
	}
	for _, a := range agents {
		name := string(a.ID)
		if a.Host != nil {
			name = a.Host.Hostname
			state.Agents.Hosts++
			switch a.Host.Heartbeat {
			case landscape.HeartbeatCritical:
				state.Agents.Lost = append(state.Agents.Lost, name)
			case landscape.HeartbeatPassing:
				state.Messages.Reporting++
			}
		}
		if slices.ContainsFunc(a.Status, func(r store.ReportStatus) bool { return r.Stale(state.Now) }) {
			state.Agents.Faulty = append(state.Agents.Faulty, name)
		}
	}
	slices.Sort(state.Agents.Lost)
	slices.Sort(state.Agents.Faulty)
	return nil
}

// Refused agents are shown for refusalWindow, and at most maxShownRefusals of
// them.
const (
	refusalWindow    = 24 * time.Hour
	maxShownRefusals = 3
)

// refusals returns the addresses from which agents were refused lately.
func (s *server) refusals(now time.Time) (recent []doctor.Refusal) {
	refused, _ := s.auth.AgentRefusals()
	for _, r := range refused {
		if now.Sub(r.Last) < refusalWindow {
			recent = append(recent, doctor.Refusal{Address: r.Address, Of: "reports", Reason: r.Reason})
		}
	}
	if s.internalBroker != nil {
		for _, r := range s.internalBroker.Refusals() {
			if now.Sub(r.Last) < refusalWindow {
				recent = append(recent, doctor.Refusal{Address: r.Address, Of: "messages", Reason: r.Reason})
			}
		}
	}
	return recent[:min(len(recent), maxShownRefusals)]
}

// DoctorInput is the result of reading the configuration for the command
// trento-web doctor.
type DoctorInput struct {
	Config  config.Config // as far as it could be read
	File    string        // value of --config
	Notices []config.Notice
	Err     error
}

// Doctor examines the running server of this machine, or the data of a server
// that is stopped. It changes nothing.
func Doctor(ctx context.Context, in DoctorInput) (*finding.Report, error) {
	beside := &doctor.State{Now: time.Now(), Version: Version(), Configuration: in.configuration()}
	if in.Config.DataDir == "" { // the file could not be read at all
		return doctor.ExamineBesideServer(beside), nil
	}
	var r *finding.Report
	err := Get(ctx, in.Config, "/api/v1/doctor", &r)
	if errors.Is(err, ErrNotRunning) {
		return doctor.Examine(in.examineStoppedServer(ctx, beside)), nil
	}
	if err != nil {
		return nil, err
	}
	beside.StartedAt = r.StartedAt
	beside.Server = &doctor.Server{Version: r.Version}
	if info, err := os.Stat(in.File); err == nil {
		beside.Server.FileChangedAt = info.ModTime()
	}
	beside.Files, beside.Clock = doctor.ProbeFiles(in.Config), doctor.ProbeClock()
	r.Add(doctor.ExamineBesideServer(beside))
	return r, nil
}

// configuration returns how the configuration was read.
func (in DoctorInput) configuration() *doctor.Configuration {
	c := &doctor.Configuration{File: in.File, Notices: in.Notices}
	if in.Err != nil {
		c.Faults = strings.Split(in.Err.Error(), "\n")
	}
	return c
}

// maxVerifiedBytes is the largest data file of which all pages are checked.
// Checking a larger file would take too long for a command that a person waits
// for.
const maxVerifiedBytes = 500_000_000

// examineStoppedServer completes the state of a server that is stopped.
func (in DoctorInput) examineStoppedServer(ctx context.Context, state *doctor.State) *doctor.State {
	c := in.Config
	data := &doctor.Data{Dir: c.DataDir}
	if store.Exists(c.DataDir) {
		s := &server{config: c, log: discardLog}
		stored, err := s.openForExamination(ctx)
		switch {
		case errors.Is(err, store.ErrNewer):
			data.Newer = true
		case errors.Is(err, store.ErrOlder):
			data.Older = true
		case errors.Is(err, store.ErrInUse):
			data = nil
		case err != nil:
			first, _, _ := strings.Cut(err.Error(), "\n")
			data.Fault = first
		}
		if stored != nil {
			stored.Configuration = state.Configuration
			state, data = stored, stored.Data
		}
	} else {
		data.Missing = true
	}
	state.Data = data
	state.Files, state.Disk = doctor.ProbeFiles(c), cmp.Or(state.Disk, doctor.ProbeDisk(c.DataDir, 0))
	state.Clock, state.Ports = doctor.ProbeClock(), doctor.ProbePorts(c)
	state.Certificate = (&server{config: c, log: discardLog}).certificateOfStoppedServer(ctx)
	asked, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answers := askAll(asked, c)
	state.Provider, state.HostName = answers.provider, answers.hostName
	return state
}

// openForExamination opens the store read-only, examines it, and closes it. It
// recovers from panics of bbolt, which damaged pages can cause.
func (s *server) openForExamination(ctx context.Context) (state *doctor.State, err error) {
	defer func() {
		if p := recover(); p != nil {
			state, err = nil, fmt.Errorf("%v", p)
		}
	}()
	if s.store, err = store.Open(s.config.DataDir, store.Options{Log: discardLog, Program: Version(), ReadOnly: true}); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.closeAll()) }()
	s.backups = s.backupSource()
	if state, err = s.storedState(ctx); err != nil {
		return nil, err
	}
	if state.Data.Size <= maxVerifiedBytes {
		if err := s.store.Verify(); err != nil {
			state.Data.Fault, _, _ = strings.Cut(err.Error(), "\n")
		}
		state.Data.Verified = true
	}
	return state, nil
}

// certificateOfStoppedServer describes the certificate of a server that is stopped.
// Certificates that the server makes or obtains itself are only known while it
// runs.
func (s *server) certificateOfStoppedServer(ctx context.Context) *doctor.Certificate {
	state := s.certificateState()
	if s.config.TLSCertFile == "" {
		return state
	}
	if err := s.openCertificate(ctx); err != nil {
		state.Fault = err.Error()
		return state
	}
	return s.certificateState()
}
