package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Notice is a hint about the configuration for the administrator. It does not
// stop the start, and never contains a secret.
type Notice struct {
	Text string // what is not as it should be
	Mend string // what to change, as a sentence
}

// String returns the text.
func (n Notice) String() string { return n.Text }

// Load reads the configuration. Values in the file win over the environment
// (NAME=value texts, as os.Environ returns them), and both win over credentials
// and the defaults. An EnvironmentFile of systemd also wins over the
// environment, so both ways of reading a file give the same result. A variable
// that is set to "" counts as unset. A secret that is unset is read from the
// credential with its name, if systemd passes one.
//
// Load creates nothing, so a wrong value stops the start before anything is
// written. rules check the values of the default admin and of alerts. The error
// names every wrong variable.
func Load(file string, environ []string, rules Rules) (Config, []Notice, error) {
	l := loader{variables: Variables(), values: map[string]string{}, origins: map[string]string{}, faultyNames: map[string]bool{}}
	for _, assignment := range environ {
		name, value, _ := strings.Cut(assignment, "=")
		l.values[name], l.origins[name] = value, "environment"
	}
	if file != "" {
		assignments, notices, err := readFile(file)
		if err != nil {
			return Config{}, nil, fmt.Errorf("configuration: %w", err)
		}
		l.notices = notices
		l.overlay(assignments)
	}
	l.readCredentials()
	l.parse()
	l.check(rules)
	l.checkSSO()
	l.checkTLS()
	l.noticeUnused()
	l.noticeUnknown()
	return l.config, l.notices, errors.Join(l.errs...)
}

// Rules check the values of the default admin and of alerts. Each returns a
// detail such as "is reserved" for each fault.
type Rules struct {
	Username, Email, Password                      func(string) []string
	Sender, Recipients, SMTPServer, WebhookAddress func(string) []string
}

type loader struct {
	variables   []Variable
	values      map[string]string // values as they were set, by name
	origins     map[string]string
	config      Config
	faultyNames map[string]bool // names of the variables whose values are not allowed
	errs        []error
	notices     []Notice
}

// overlay applies the variables of the file. It adds a notice about each
// variable that differs from the environment.
func (l *loader) overlay(assignments []assignment) {
	for _, a := range assignments {
		ours := slices.ContainsFunc(l.variables, func(v Variable) bool { return v.Name == a.Name })
		before, set := l.values[a.Name]
		if ours && set && before != a.Value && l.origins[a.Name] == "environment" {
			l.addNotice("Remove "+a.Name+" from one of the two.", "%s is set both in the environment and in the file; the file wins", a.Name)
		}
		l.values[a.Name], l.origins[a.Name] = a.Value, "file"
	}
}

// addNotice adds a notice, and what to change.
func (l *loader) addNotice(mend, format string, args ...any) {
	l.notices = append(l.notices, Notice{fmt.Sprintf(format, args...), mend})
}

func (l *loader) parse() {
	err := env.ParseWithOptions(&l.config, env.Options{
		Environment: l.values,
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[bool]():           parseBool,
			reflect.TypeFor[time.Duration]():  parseDuration,
			reflect.TypeFor[[]netip.Prefix](): parseNetworks,
		},
	})
	var all env.AggregateError
	if errors.As(err, &all) {
		for _, err := range all.Errors {
			var bad env.ParseError
			if errors.As(err, &bad) {
				l.refuseField(bad.Name)
			} else {
				l.errs = append(l.errs, err)
			}
		}
	} else if err != nil {
		l.errs = append(l.errs, err)
	}

	l.config.assignedValues = map[string]assignedValue{}
	for _, v := range l.variables {
		if value := l.values[v.Name]; value != "" {
			l.config.assignedValues[v.Name] = assignedValue{v.printableValue(value), l.origins[v.Name]}
		}
	}
	if l.config.DataDir == "" {
		l.config.DataDir = defaultDataDir(l.values["STATE_DIRECTORY"], os.Geteuid())
	}
}

func (l *loader) refuseField(field string) {
	for _, v := range l.variables {
		if v.fieldName == field {
			l.faultyNames[v.Name] = true
		}
	}
}

// The limits of BACKUP_INTERVAL, and the fewest characters of
// BACKUP_PASSPHRASE.
const (
	minBackupInterval   = 10 * time.Minute
	maxBackupInterval   = 30 * 24 * time.Hour
	minBackupPassphrase = 12
)

// The limits of CHECKS_TIMEOUT.
const (
	minChecksTimeout = 10 * time.Second
	maxChecksTimeout = 10 * time.Minute
)

// The limits of SESSION_LIFETIME and SESSION_IDLE.
const (
	minSessionLifetime = 5 * time.Minute
	minSessionIdle     = time.Minute
	maxSessionLifetime = 30 * 24 * time.Hour
)

const (
	maxPort       = 65535
	minSecretSize = 32 // bytes
)

func (l *loader) check(rules Rules) {
	c := l.config
	for name, ok := range map[string]bool{
		"PORT":                             c.Port >= 0 && c.Port <= maxPort,
		"TRENTO_WEB_ORIGIN":                c.Origin == "" || isHostAndPort(c.Origin),
		"MAX_CONNECTIONS":                  c.MaxConnections >= 100 && c.MaxConnections <= 100_000,
		"MAX_CONNECTIONS_PER_ADDRESS":      c.MaxConnectionsPerAddress == 0 || c.MaxConnectionsPerAddress >= 10 && c.MaxConnectionsPerAddress <= 100_000,
		"AMQP_PORT":                        c.AMQPPort >= 0 && c.AMQPPort <= maxPort,
		"AMQPS_PORT":                       c.AMQPSPort >= 0 && c.AMQPSPort <= maxPort,
		"HTTP_REDIRECT_PORT":               c.HTTPRedirectPort == nil || *c.HTTPRedirectPort >= 0 && *c.HTTPRedirectPort <= maxPort,
		"HSTS_MAX_AGE":                     c.HSTSMaxAge >= 0,
		"TLS_ACME_DOMAIN":                  c.TLSACMEDomain == "" || isDomain(c.TLSACMEDomain),
		"TLS_ACME_EMAIL":                   c.TLSACMEEmail == "" || isEmail(c.TLSACMEEmail),
		"TLS_ACME_DIRECTORY":               isAddress(c.TLSACMEDirectory) && strings.HasPrefix(c.TLSACMEDirectory, "https:"),
		"AMQP_VHOST":                       len(c.AMQPVirtualHost) <= 255,
		"AMQP_MAX_CONNECTIONS":             c.AMQPMaxConnections >= 10 && c.AMQPMaxConnections <= 100_000,
		"AMQP_MAX_CONNECTIONS_PER_ADDRESS": c.AMQPMaxConnectionsPerAddress == 0 || c.AMQPMaxConnectionsPerAddress >= 10 && c.AMQPMaxConnectionsPerAddress <= 100_000,
		"AMQP_URL":                         isBrokerAddress(string(c.AMQPURL)),
		"LOG_LEVEL":                        slices.Contains([]string{"debug", "info", "warning", "error"}, c.LogLevel),
		"SECRET_KEY_BASE":                  c.SecretKeyBase == "" || len(c.KeyBase()) >= minSecretSize,
		"REFRESH_TOKEN_ENC_SECRET":         c.RefreshSecret == "" || c.RefreshSecret != c.AccessSecret,
		"METRICS_ACCESS":                   slices.Contains([]string{"off", "token", "loopback", "everyone"}, c.MetricsAccess),
		"MCP_ACCESS":                       slices.Contains([]string{"off", "read", "write"}, c.MCPAccess),
		"PASSWORD_POLICY":                  c.PasswordPolicy == "warn" || c.PasswordPolicy == "strict",
		"SESSION_IDLE":                     c.SessionIdle == 0 || c.SessionIdle >= minSessionIdle && c.SessionIdle <= maxSessionLifetime,
		"TOKEN_RATE_LIMIT":                 c.TokenRateLimit == 0 || c.TokenRateLimit >= 10 && c.TokenRateLimit <= 1_000_000,
		"SESSION_LIFETIME":                 c.SessionLifetime >= minSessionLifetime && c.SessionLifetime <= maxSessionLifetime,
		"BACKUP_INTERVAL":                  c.BackupInterval >= minBackupInterval && c.BackupInterval <= maxBackupInterval,
		"BACKUP_KEEP":                      c.BackupKeep >= 1 && c.BackupKeep <= 1000,
		"BACKUP_PASSPHRASE":                c.BackupPassphrase == "" || len([]rune(string(c.BackupPassphrase))) >= minBackupPassphrase,
		"HOST_HEARTBEAT_INTERVAL":          c.HostHeartbeatInterval >= time.Second,
		"HOST_HEARTBEAT_ALLOWED_MISSED":    c.HostHeartbeatAllowedMissed >= 0,
		"OIDC_BASE_URL":                    isAddress(c.OIDCBaseURL),
		"OIDC_CALLBACK_URL":                isAddress(c.OIDCCallbackURL),
		"OAUTH2_BASE_URL":                  isAddress(c.OAuth2BaseURL),
		"OAUTH2_AUTHORIZE_URL":             isAddressOrPath(c.OAuth2AuthorizeURL),
		"OAUTH2_TOKEN_URL":                 isAddressOrPath(c.OAuth2TokenURL),
		"OAUTH2_USER_URL":                  isAddressOrPath(c.OAuth2UserURL),
		"OAUTH2_CALLBACK_URL":              isAddress(c.OAuth2CallbackURL),
		"SAML_METADATA_URL":                isAddress(c.SAMLMetadataURL),
		"SAML_SP_ORG_URL":                  isAddress(c.SAMLOrgURL),
		"SMTP_PORT":                        c.SMTPPort > 0 && c.SMTPPort <= maxPort,
		"ALERT_DELAY":                      c.AlertDelay >= 0 && c.AlertDelay <= maxAlertDelay,
		"ALERT_REPEAT":                     c.AlertRepeat >= 0 && c.AlertRepeat <= maxAlertRepeat,
		"PROMETHEUS_URL":                   isAddress(c.PrometheusURL),
		"CHECKS_SERVICE_BASE_URL":          isAddressOrPath(c.ChecksBaseURL),
		"CHECKS_INTERVAL":                  c.ChecksInterval >= 1 && c.ChecksInterval <= 1440,
		"CHECKS_TIMEOUT":                   c.ChecksTimeout >= minChecksTimeout && c.ChecksTimeout <= maxChecksTimeout,
		"PRUNE_EVENTS_OLDER_THAN":          c.PruneOlderThan > 0,
		"OAS_SERVER_URL":                   isAddressOrPath(c.OASServerURL),
	} {
		if !ok {
			l.faultyNames[name] = true
		}
	}
	l.checkAlerts(rules)
	l.checkForwarding()
	for _, v := range l.variables {
		if l.faultyNames[v.Name] && v.Secret {
			l.errs = append(l.errs, fmt.Errorf("%s: want %s", v.Name, v.Want))
		} else if l.faultyNames[v.Name] {
			l.errs = append(l.errs, fmt.Errorf("%s %q: want %s", v.Name, v.printableValue(l.values[v.Name]), v.Want))
		}
	}
	for _, admin := range []struct {
		name, value string
		judge       func(string) []string
	}{{"ADMIN_USER", c.AdminUser, rules.Username}, {"ADMIN_EMAIL", c.AdminEmail, rules.Email}, {"ADMIN_PASSWORD", string(c.AdminPassword), rules.Password}} {
		if admin.value == "" {
			continue
		}
		for _, detail := range admin.judge(admin.value) {
			l.errs = append(l.errs, fmt.Errorf("%s %s", admin.name, detail))
		}
	}
}

// KeyBase returns SECRET_KEY_BASE decoded; nil if it is unset or not base64.
func (c Config) KeyBase() []byte {
	text := strings.TrimRight(string(c.SecretKeyBase), "=")
	key, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return key
}

// obsoleteVariables are variables of former releases that have no effect any more.
var obsoleteVariables = []string{
	"DATABASE_POOL_SIZE", "DATABASE_URL", "EVENTSTORE_POOL_SIZE", "EVENTSTORE_URL", "GTM_ID", "MIX_ENV",
	"PHX_SERVER", "PRUNE_EVENTS_INTERVAL", "RUNNER_URL",
}

// noticeUnused adds notices about variables that are set but have no effect, or
// another effect than probably expected.
func (l *loader) noticeUnused() {
	var unused, later []string
	for _, name := range obsoleteVariables {
		if l.values[name] != "" {
			unused = append(unused, name)
		}
	}
	for _, v := range l.variables {
		value := l.values[v.Name]
		if value == "" {
			continue
		}
		if v.MissingFeature != "" {
			later = append(later, fmt.Sprintf("%s (%s)", v.Name, v.MissingFeature))
		}
		if v.isBoolean && value != "true" && value != "false" {
			l.addNotice("Set "+v.Name+" to true or false.", "%s is %q, which counts as false: only the word true switches it on", v.Name, value)
		}
	}
	if len(unused) > 0 {
		l.addNotice("Remove "+strings.Join(unused, ", ")+".", "set, but no longer needed, and ignored: %s", strings.Join(unused, ", "))
	}
	if len(later) > 0 {
		l.addNotice("Remove them, or leave them for a release with the feature.", "set, but without effect, because this build lacks the feature: %s", strings.Join(later, ", "))
	}
	if l.values["ADMIN_USERNAME"] != "" {
		l.addNotice("Set ADMIN_USER instead of ADMIN_USERNAME.", "ADMIN_USERNAME is ignored: the name of the default admin is set with ADMIN_USER")
	}
	for _, v := range l.variables {
		if size := len(l.values[v.Name]); v.Generated && size > 0 && size < minSecretSize {
			l.addNotice("Leave "+v.Name+" unset, and one is generated; or take what openssl rand -base64 48 prints.", "%s is short: %d characters or more are hard to guess", v.Name, minSecretSize)
		}
	}
}

// parseBool returns true for "true" and false for everything else.
func parseBool(text string) (any, error) { return text == "true", nil }

func parseDuration(text string) (any, error) {
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second, nil
	}
	return time.ParseDuration(text)
}

// parseNetworks reads addresses and networks. An address counts as a network of
// one address.
func parseNetworks(text string) (any, error) {
	var networks []netip.Prefix
	for field := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' }) {
		if network, err := netip.ParsePrefix(field); err == nil {
			networks = append(networks, network.Masked())
			continue
		}
		address, err := netip.ParseAddr(field)
		if err != nil {
			return nil, err
		}
		address = address.Unmap()
		networks = append(networks, netip.PrefixFrom(address, address.BitLen()))
	}
	return networks, nil
}

var hostPortPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$|^\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?$`)

func isHostAndPort(text string) bool { return len(text) <= 255 && hostPortPattern.MatchString(text) }

// isAddress reports whether a text is an http or https address or empty.
// checkSSO checks that required variables are not empty.
func isAddress(text string) bool {
	u, err := url.Parse(text)
	return text == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// isBrokerAddress reports whether a text is empty or the address of a message broker.
func isBrokerAddress(text string) bool {
	u, err := url.Parse(text)
	return text == "" || err == nil && (u.Scheme == "amqp" || u.Scheme == "amqps") && u.Host != ""
}

func isAddressOrPath(text string) bool {
	return isAddress(text) || strings.HasPrefix(text, "/")
}
