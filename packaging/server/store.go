package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"trento/auth"
	"trento/packaging/config"
	"trento/store"
	"trento/store/failure"
	"trento/ui/api"
)

// openStore opens the store, and creates auth with the secrets.
func (s *server) openStore(ctx context.Context) error {
	if err := s.openFile(); err != nil {
		return err
	}
	options, err := s.authOptions(ctx)
	if err == nil {
		s.auth, err = auth.New(options)
	}
	return err
}

// openFile opens the store and completes the configuration with the secrets in
// the data directory.
func (s *server) openFile() (err error) {
	o := store.Options{
		Log:                    s.log,
		Program:                Version(),
		HeartbeatInterval:      s.config.HostHeartbeatInterval,
		HeartbeatAllowedMissed: s.config.HostHeartbeatAllowedMissed,
		DiscardAge:             time.Duration(s.config.PruneOlderThan) * 24 * time.Hour,
		SessionIdle:            s.config.SessionIdle,
		Alerts:                 configuredAlertingEnabled(s.config),
	}
	if s.metrics != nil {
		o.Committed, o.Logged = s.metrics.Committed, s.metrics.Logged
	}
	s.store, err = store.Open(s.config.DataDir, o)
	if errors.Is(err, store.ErrInUse) {
		return fmt.Errorf("the data directory %s is in use by another trento-web; stop that one, or set TRENTO_DATA_DIR", s.config.DataDir)
	}
	if errors.Is(err, store.ErrDamaged) {
		return fmt.Errorf("the data in %s are damaged: %w. Restore a backup with \"trento-web restore\"; the damaged data are kept beside it. If the disk reports errors (dmesg), replace it first", s.config.DataDir, err)
	}
	if err == nil {
		s.config, err = s.config.WithSecrets()
	}
	if cause := failure.DiskCause(err); cause.Text != "" {
		return fmt.Errorf("the data directory %s cannot be used. %s %s\n%w", s.config.DataDir, cause.Text, cause.Advice, err)
	}
	return err
}

func (s *server) authOptions(ctx context.Context) (auth.Options, error) {
	provider, origin, err := s.newProvider(ctx)
	return auth.Options{
		Store:    s.store,
		Provider: provider,
		Origin:   origin,
		Secrets: auth.Secrets{
			Base: s.config.KeyBase(), Access: []byte(s.config.AccessSecret), Refresh: []byte(s.config.RefreshSecret),
		},
		SessionLifetime: s.config.SessionLifetime,
		TrustedProxies:  s.config.TrustedProxies,
		EnableAPIKey:    s.config.EnableAPIKey,
		Operations:      api.Operations(),
		Introspectors:   s.config.IntrospectionAllowed,
		TokenRateLimit:  s.config.TokenRateLimit,
		Monitoring:      auth.Monitoring(s.config.MetricsAccess),
		AdminUser:       s.config.AdminUser,
		Alerts:          configuredAlerts(s.config),
		MessageUser:     s.config.AMQPUser,
		MessagePassword: string(s.config.AMQPPassword),
		StrictPasswords: s.config.PasswordPolicy == "strict",
		Log:             s.log,
	}, err
}

// ResetAdmin sets the password of the default admin in the data directory of a
// stopped server. If password is "", it generates one, writes it to a file and
// returns the name of the file; otherwise file is "".
func ResetAdmin(ctx context.Context, c config.Config, password string) (file string, err error) {
	switch {
	case c.AdminPassword != "":
		return "", errors.New("ADMIN_PASSWORD is configured, and the next start would set that one again; change it there and restart the server instead")
	case !store.Exists(c.DataDir):
		return "", errNoData(c.DataDir)
	}
	s := &server{config: c, log: slog.New(slog.DiscardHandler)}
	defer func() { err = errors.Join(err, s.closeAll()) }()
	if err := s.openStore(ctx); err != nil {
		return "", err
	}
	return s.auth.ResetAdmin(ctx, auth.Admin{Email: c.AdminEmail, Password: password}, c.DataDir)
}

func errNoData(dir string) error {
	return fmt.Errorf("there is no server's data in %s; set TRENTO_DATA_DIR, or name the configuration with --config", dir)
}
