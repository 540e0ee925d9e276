// Package config knows the configuration variables: their names, defaults,
// meanings and limits, and where each value came from. It opens no store and
// starts nothing. Package server passes the values to the packages that use
// them.
package config

import (
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"time"
)

// Config is the effective configuration. Every exported field is one variable.
// Its tags are the only description of the variable: the help text, the example
// file and the error messages are generated from them.
//
//	env         name of the variable
//	envDefault  default value; without the tag, doc says what an unset variable means
//	section     title of the group that begins with this variable
//	doc         what the variable does
//	want        allowed values; without the tag, every text is allowed
//	kept        an unset value is generated and kept in the data directory
//	later       the feature that the variable is for, if this build lacks it
type Config struct {
	Port                     int            `env:"PORT" envDefault:"4000" section:"Server" doc:"TCP port of the console and the API." want:"a number from 1 to 65535, or 0 for any free port"`
	Listen                   netip.Addr     `env:"LISTEN" doc:"Address of this machine on which the console and the API are offered. Unset: all of them. 127.0.0.1 leaves the way in to a reverse proxy on this machine." want:"an address such as 127.0.0.1, 10.0.0.5 or ::1"`
	Origin                   string         `env:"TRENTO_WEB_ORIGIN" doc:"Public host name of this server, for the addresses it tells an identity provider. Required with single sign-on." want:"a host name such as trento.example.com, without https:// and path"`
	DataDir                  string         `env:"TRENTO_DATA_DIR" doc:"Directory of the data: store, search index, generated secrets. Unset: the state directory of the service (/var/lib/trento), /var/lib/trento when started as root, else ./trento-data. A service may only write to a directory its unit names (StateDirectory=, ReadWritePaths=)."`
	LogLevel                 string         `env:"LOG_LEVEL" envDefault:"info" doc:"How much is logged." want:"debug, info, warning or error"`
	TrustedProxies           []netip.Prefix `env:"TRUSTED_PROXIES" doc:"Addresses or networks of the reverse proxies in front of this server. Only what they forward (X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host) is believed about the address of a client, and the scheme and host name it used." want:"addresses or networks such as 10.0.0.7 or 10.1.0.0/16, separated by commas"`
	MaxConnections           int            `env:"MAX_CONNECTIONS" envDefault:"4096" doc:"Connections that may be open at once. Beyond it, one that waits for its next request makes room, else the new one is refused. The limit on open files (LimitNOFILE=) counts, too." want:"a number from 100 to 100000"`
	MaxConnectionsPerAddress int            `env:"MAX_CONNECTIONS_PER_ADDRESS" envDefault:"1024" doc:"The same for one address, or one IPv6 network of 64 bits. It does not count for TRUSTED_PROXIES. Raise it where more agents than that report from behind one address." want:"a number from 10 to 100000, or 0 for no such limit"`

	TokenRateLimit int `env:"TOKEN_RATE_LIMIT" envDefault:"1200" doc:"How often each personal access token may be used in a minute. Beyond it, requests get status 429. Agents show no such token." want:"a number from 10 to 1000000, or 0 for no such limit"`

	IntrospectionAllowed []netip.Prefix `env:"INTROSPECTION_ALLOWED_ADDRESSES" doc:"Addresses or networks of other components that may ask whom a token belongs to (POST /api/session/token/introspect), beside this machine itself." want:"addresses or networks such as 10.0.0.7 or 10.1.0.0/16, separated by commas"`

	TLSCertFile      string        `env:"TLS_CERT_FILE" section:"TLS" doc:"File with the certificate of this server and the certificates between it and the authority, in PEM format. Console, API and agents then use https on PORT, and messages amqps on AMQPS_PORT. A changed file is noticed within seconds, and open connections stay open."`
	TLSKeyFile       string        `env:"TLS_KEY_FILE" doc:"File with the private key of the certificate, in PEM format, without a password. It may be the same file."`
	TLSSelfSigned    bool          `env:"TLS_SELF_SIGNED" envDefault:"false" doc:"Makes a certificate for the names and addresses of this machine, for a first try. It is kept in the directory tls of the data directory, and made again 30 days before it expires. Browsers warn of it, and agents refuse it, until they are told to trust tls/self-signed.crt."`
	TLSACMEDomain    string        `env:"TLS_ACME_DOMAIN" doc:"Host name for which a certificate is obtained with ACME, and renewed in time. The authority has to reach this server under that name on port 443 (PORT) or 80 (HTTP_REDIRECT_PORT). Setting it accepts the terms of the authority." want:"a host name such as trento.example.com"`
	TLSACMEEmail     string        `env:"TLS_ACME_EMAIL" doc:"E-mail address for warnings of the authority." want:"an e-mail address"`
	TLSACMEDirectory string        `env:"TLS_ACME_DIRECTORY" envDefault:"https://acme-v02.api.letsencrypt.org/directory" doc:"Address of the authority." want:"an https address"`
	TLSACMECAFile    string        `env:"TLS_ACME_CA_FILE" doc:"File with certificates to trust when TLS_ACME_DIRECTORY is asked, in PEM format, for an authority of your own. Unset: those of the system."`
	HTTPRedirectPort *int          `env:"HTTP_REDIRECT_PORT" doc:"TCP port on which requests without TLS are sent on to https, such as 80. Unset: there is none." want:"a number from 1 to 65535, or 0 for any free port"`
	HSTSMaxAge       time.Duration `env:"HSTS_MAX_AGE" envDefault:"0" doc:"How long browsers must use https for this host name after each visit (Strict-Transport-Security). It applies to all ports of the host, also to other services without https, and cannot be taken back early. So it is off by default; 8760h is a good value for a host of its own." want:"0 for off, or seconds or a duration such as 8760h"`

	AdminUser     string `env:"ADMIN_USER" envDefault:"admin" section:"Default admin" doc:"User name of the default admin, who may do everything and can be neither edited nor deleted in the console. Created at the start if missing."`
	AdminPassword Secret `env:"ADMIN_PASSWORD" doc:"Password of the default admin. A changed value takes effect at the next start and ends the sessions of the admin. Unset: kept as it is; for a new admin one is generated and written to the file initial-admin-password in the data directory, which is removed at the first sign-in." want:"at least 8 characters, no letter or digit three times in a row, no four in sequence such as 1234 or abcd"`
	AdminEmail    string `env:"ADMIN_EMAIL" envDefault:"admin@trento.suse.com" doc:"E-mail address the default admin is created with."`

	SecretKeyBase   Secret        `env:"SECRET_KEY_BASE" kept:"true" section:"Secrets and sessions" doc:"Key material: signs the session cookies and encrypts secrets in the store. Changing it signs everybody out and makes encrypted values unreadable." want:"base64 text of at least 32 bytes, as openssl rand -base64 48 prints"`
	AccessSecret    Secret        `env:"ACCESS_TOKEN_ENC_SECRET" kept:"true" doc:"Signs access tokens and the API key of the agents. Changing it makes a new API key, which all agents need."`
	RefreshSecret   Secret        `env:"REFRESH_TOKEN_ENC_SECRET" kept:"true" doc:"Signs refresh tokens. Must differ from ACCESS_TOKEN_ENC_SECRET." want:"a text other than that of ACCESS_TOKEN_ENC_SECRET"`
	PasswordPolicy  string        `env:"PASSWORD_POLICY" envDefault:"warn" doc:"What becomes of a password that follows the rules but is easy to guess: common, close to a common one, or with the user name in it. warn says so and takes it, strict refuses it." want:"warn or strict"`
	SessionLifetime time.Duration `env:"SESSION_LIFETIME" envDefault:"6h" doc:"How long a sign-in to the console lasts, whatever is done in it." want:"seconds, or a duration such as 90m or 6h, from 5m to 720h"`
	SessionIdle     time.Duration `env:"SESSION_IDLE" envDefault:"0" doc:"Ends sessions of the console in which nobody has done anything for so long. Only what a person does counts, not a page that is open and keeps itself current. Off by default, because consoles are watched for hours." want:"0 for off, or seconds or a duration such as 15m, from 1m to 720h"`

	EnableAPIKey               bool          `env:"ENABLE_API_KEY" envDefault:"true" section:"Agents" doc:"Whether agents must show the API key. Anything but true lets everybody report as an agent."`
	HostHeartbeatInterval      time.Duration `env:"HOST_HEARTBEAT_INTERVAL" envDefault:"5" doc:"Time expected between two heartbeats of an agent." want:"seconds, or a duration such as 5s, of at least one second"`
	HostHeartbeatAllowedMissed int           `env:"HOST_HEARTBEAT_ALLOWED_MISSED" envDefault:"0" doc:"Heartbeats that may be missing before a host counts as lost: after interval x (missed + 1) + 1 second." want:"a number, 0 or more"`
	PruneOlderThan             int           `env:"PRUNE_EVENTS_OLDER_THAN" envDefault:"10" doc:"Days after which reports of agents that could not be understood are dropped, which is looked at every hour." want:"days, 1 or more"`

	EnableAMQP                   bool       `env:"ENABLE_AMQP" envDefault:"true" section:"Messages to agents" doc:"Whether agents can connect for messages. An agent that finds no message endpoint ends at its start."`
	AMQPPort                     int        `env:"AMQP_PORT" envDefault:"5672" doc:"TCP port of the message endpoint without TLS." want:"a number from 1 to 65535, or 0 for any free port"`
	AMQPSPort                    int        `env:"AMQPS_PORT" envDefault:"5671" doc:"TCP port of the message endpoint with TLS (amqps). It is opened if this server has a certificate." want:"a number from 1 to 65535, or 0 for any free port"`
	EnablePlainAMQP              bool       `env:"ENABLE_PLAIN_AMQP" envDefault:"true" doc:"Whether agents can also connect for messages without TLS if this server has a certificate. Switch it off when all agents use amqps."`
	AMQPListen                   netip.Addr `env:"AMQP_LISTEN" doc:"Address of this machine on which the message endpoint is offered. Unset: all of them. Agents connect to it themselves, so 127.0.0.1 is for tests." want:"an address such as 10.0.0.5 or ::1"`
	AMQPVirtualHost              string     `env:"AMQP_VHOST" doc:"Virtual host that agents may name in the address, beside /. An asterisk allows all." want:"a name such as trento, or *"`
	AMQPMaxConnections           int        `env:"AMQP_MAX_CONNECTIONS" envDefault:"12288" doc:"Connections for messages that may be open at once. Each agent has three. The limit on open files (LimitNOFILE=) counts, too." want:"a number from 10 to 100000"`
	AMQPMaxConnectionsPerAddress int        `env:"AMQP_MAX_CONNECTIONS_PER_ADDRESS" envDefault:"3072" doc:"The same for one address, or one IPv6 network of 64 bits. Raise it where more than a thousand agents are behind one address." want:"a number from 10 to 100000, or 0 for no such limit"`
	AMQPURL                      Secret     `env:"AMQP_URL" doc:"Address of a RabbitMQ to use instead of the message endpoint of this server, with user and password. The agents have to connect to that broker, too." want:"an address such as amqp://user:password@rabbitmq:5672/"`
	AMQPUser                     string     `env:"AMQP_USER" doc:"User name in the address that agents have for messages (facts-service-url). Unset: trento."`
	AMQPPassword                 Secret     `env:"AMQP_PASSWORD" doc:"Password in that address. Agents write the address into their journals, so it should be used for nothing else. Unset: one is generated and kept in the store; Settings shows and replaces it."`

	MetricsAccess string `env:"METRICS_ACCESS" envDefault:"loopback" section:"Programs" doc:"Who can read the metrics at /metrics, for Prometheus. token: users, and personal access tokens with the scope read_only or GET /metrics. loopback: also programs on this machine, but not what a reverse proxy on this machine forwards. A proxy that adds no header X-Forwarded-For needs token." want:"off, token, loopback or everyone"`
	MCPAccess     string `env:"MCP_ACCESS" envDefault:"read" doc:"What assistants can do that connect to /mcp (Model Context Protocol) with a personal access token, within its scopes. read offers them what changes nothing, write also what is easily undone, such as tags." want:"off, read or write"`

	BackupDir        string        `env:"BACKUP_DIR" section:"Backups" doc:"Directory into which a backup is written regularly. Unset: none is. A service may only write to a directory its unit names (ReadWritePaths=); /var/lib/trento/backups is fine, but on the same disk."`
	BackupInterval   time.Duration `env:"BACKUP_INTERVAL" envDefault:"24h" doc:"Time between two backups." want:"a duration such as 12h or 24h, from 10m to 720h"`
	BackupKeep       int           `env:"BACKUP_KEEP" envDefault:"7" doc:"How many backups are kept in BACKUP_DIR. Older ones are deleted; other files are left alone." want:"a number from 1 to 1000"`
	BackupPassphrase Secret        `env:"BACKUP_PASSPHRASE" doc:"Encrypts these backups. Without it, whoever gets one can sign in as anybody. Keep a copy elsewhere: a backup without its passphrase is lost." want:"at least 12 characters"`

	EnableOIDC       bool   `env:"ENABLE_OIDC" envDefault:"false" section:"Single sign-on with OpenID Connect" doc:"Switches sign-in through an OpenID Connect provider on. At most one kind of single sign-on can be on."`
	OIDCClientID     string `env:"OIDC_CLIENT_ID" doc:"Client id. Required."`
	OIDCClientSecret Secret `env:"OIDC_CLIENT_SECRET" doc:"Client secret. Required."`
	OIDCBaseURL      string `env:"OIDC_BASE_URL" doc:"Address of the issuer. Required." want:"an http or https address"`
	OIDCCallbackURL  string `env:"OIDC_CALLBACK_URL" doc:"Where the provider sends the browser back to. Unset: https://TRENTO_WEB_ORIGIN/auth/oidc_callback." want:"an http or https address"`

	EnableOAuth2       bool   `env:"ENABLE_OAUTH2" envDefault:"false" section:"Single sign-on with OAuth 2.0" doc:"Switches sign-in through an OAuth 2.0 provider on."`
	OAuth2ClientID     string `env:"OAUTH2_CLIENT_ID" doc:"Client id. Required."`
	OAuth2ClientSecret Secret `env:"OAUTH2_CLIENT_SECRET" doc:"Client secret. Required."`
	OAuth2BaseURL      string `env:"OAUTH2_BASE_URL" doc:"Address of the provider. Required." want:"an http or https address"`
	OAuth2AuthorizeURL string `env:"OAUTH2_AUTHORIZE_URL" doc:"Authorization address, or a path on OAUTH2_BASE_URL. Required." want:"an http or https address, or a path"`
	OAuth2TokenURL     string `env:"OAUTH2_TOKEN_URL" doc:"Token address, or a path on OAUTH2_BASE_URL. Required." want:"an http or https address, or a path"`
	OAuth2UserURL      string `env:"OAUTH2_USER_URL" doc:"Address of the user information, or a path on OAUTH2_BASE_URL. Required." want:"an http or https address, or a path"`
	OAuth2Scopes       string `env:"OAUTH2_SCOPES" envDefault:"profile email" doc:"Scopes that are asked for."`
	OAuth2CallbackURL  string `env:"OAUTH2_CALLBACK_URL" doc:"Where the provider sends the browser back to. Unset: https://TRENTO_WEB_ORIGIN/auth/oauth2_callback." want:"an http or https address"`

	EnableSAML           bool   `env:"ENABLE_SAML" envDefault:"false" section:"Single sign-on with SAML" doc:"Switches sign-in through a SAML identity provider on."`
	SAMLIDPID            string `env:"SAML_IDP_ID" doc:"Name of the identity provider, the last part of all SAML addresses. Required."`
	SAMLSPID             string `env:"SAML_SP_ID" doc:"Name of this service provider, by which its requests introduce themselves. Required."`
	SAMLMetadataURL      string `env:"SAML_METADATA_URL" doc:"Where the metadata of the identity provider is fetched, at the start and every hour. This or SAML_METADATA_CONTENT is required; this one wins." want:"an http or https address"`
	SAMLMetadataContent  string `env:"SAML_METADATA_CONTENT" doc:"The metadata of the identity provider itself, in one line."`
	SAMLNameIDFormat     string `env:"SAML_IDP_NAMEID_FORMAT" envDefault:"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified" doc:"Name id format that is asked for, the whole urn."`
	SAMLDir              string `env:"SAML_SP_DIR" envDefault:"/etc/trento/saml" doc:"Directory to which certificate, key and metadata are written for administrators, and from which those of an existing installation are taken over. What this server itself needs is in the data directory, so this one need not be writable."`
	SAMLEntityID         string `env:"SAML_SP_ENTITY_ID" doc:"Entity id of this service provider. Unset: the address of its metadata."`
	SAMLContactName      string `env:"SAML_SP_CONTACT_NAME" envDefault:"Trento SP Admin" doc:"Contact named in the metadata."`
	SAMLContactEmail     string `env:"SAML_SP_CONTACT_EMAIL" envDefault:"admin@trento.suse.com" doc:"E-mail address of the contact."`
	SAMLOrgName          string `env:"SAML_SP_ORG_NAME" envDefault:"Trento SP" doc:"Organisation named in the metadata."`
	SAMLOrgDisplayName   string `env:"SAML_SP_ORG_DISPLAYNAME" envDefault:"SAML SP build with Trento" doc:"Its name for display."`
	SAMLOrgURL           string `env:"SAML_SP_ORG_URL" envDefault:"https://www.trento-project.io/" doc:"Its address." want:"an http or https address"`
	SAMLUsername         string `env:"SAML_USERNAME_ATTR_NAME" envDefault:"username" doc:"Attribute that holds the user name: its name, its short name, such as uid for urn:oid:0.9.2342.19200300.100.1.1, or its friendly name."`
	SAMLEmail            string `env:"SAML_EMAIL_ATTR_NAME" envDefault:"email" doc:"Attribute that holds the e-mail address."`
	SAMLFirstName        string `env:"SAML_FIRSTNAME_ATTR_NAME" envDefault:"firstName" doc:"Attribute that holds the first name."`
	SAMLLastName         string `env:"SAML_LASTNAME_ATTR_NAME" envDefault:"lastName" doc:"Attribute that holds the last name."`
	SAMLSignRequests     bool   `env:"SAML_SIGN_REQUESTS" envDefault:"true" doc:"Whether requests to the identity provider are signed."`
	SAMLSignMetadata     bool   `env:"SAML_SIGN_METADATA" envDefault:"true" doc:"Whether the metadata of this service provider is signed."`
	SAMLSignedAssertions bool   `env:"SAML_SIGNED_ASSERTION" envDefault:"true" doc:"Whether assertions must be signed. Without this and SAML_SIGNED_ENVELOPES, whoever makes a browser send a response can sign in as anybody."`
	SAMLSignedEnvelopes  bool   `env:"SAML_SIGNED_ENVELOPES" envDefault:"true" doc:"Whether responses must be signed, beside the assertions in them."`

	EnableAlerting      bool          `env:"ENABLE_ALERTING" envDefault:"false" section:"Alerting" doc:"Whether alerts are sent. As soon as this or another variable down to ALERT_WEBHOOK_SECRET is set, all settings of alerts come from here, and none from the console."`
	AlertSender         string        `env:"ALERT_SENDER" envDefault:"alerts@trento-project.io" doc:"Sender of e-mail alerts." want:"an e-mail address"`
	AlertRecipient      string        `env:"ALERT_RECIPIENT" envDefault:"admin@trento-project.io" doc:"Recipients of e-mail alerts." want:"e-mail addresses, separated by commas"`
	SMTPServer          string        `env:"SMTP_SERVER" doc:"Mail server that takes the alerts. Its name is looked up as a host, not as a mail domain. With smtps:// before it, or on port 465, TLS begins at once; otherwise with STARTTLS, if the mail server offers it." want:"a host name or address, such as mail.example.com or smtps://mail.example.com"`
	SMTPPort            int           `env:"SMTP_PORT" envDefault:"587" doc:"Port of the mail server." want:"a number from 1 to 65535"`
	SMTPUser            string        `env:"SMTP_USER" doc:"User name at the mail server. Unset: this server does not sign in there."`
	SMTPPassword        Secret        `env:"SMTP_PASSWORD" doc:"Password at the mail server. It is only sent over TLS, unless SMTP_INSECURE is true."`
	AlertNotifyRecovery bool          `env:"ALERT_NOTIFY_RECOVERY" envDefault:"false" doc:"Whether a message is also sent when something is well again."`
	AlertWebhookURL     Secret        `env:"ALERT_WEBHOOK_URL" doc:"Address to which alerts are posted as JSON, beside the e-mails. Who knows the address of a chat can write there, so it is treated like a password." want:"an https address, but no link-local one"`
	AlertWebhookSecret  Secret        `env:"ALERT_WEBHOOK_SECRET" doc:"Signs what is posted (header webhook-signature), so that the receiver can tell where it comes from. Unset: it is not signed."`
	AlertDelay          time.Duration `env:"ALERT_DELAY" envDefault:"60s" doc:"How long alerts are held back, so that those that belong together are sent as one, and short interruptions not at all. This and the variables below can be set beside the settings of the console." want:"0 for not at all, or seconds or a duration such as 60s, up to 1h"`
	AlertRepeat         time.Duration `env:"ALERT_REPEAT" envDefault:"30m" doc:"How long the same alert about the same thing is not sent again." want:"0 for not at all, or seconds or a duration such as 30m, up to 24h"`
	SMTPCAFile          string        `env:"SMTP_CA_FILE" doc:"File with the certificates to trust at the mail server, in PEM format, for an authority of your own. Unset: those of the system."`
	SMTPInsecure        bool          `env:"SMTP_INSECURE" envDefault:"false" doc:"Sends the password also to a mail server that offers no TLS. Everybody on the way can read it."`

	ForwardSyslogURL      string `env:"FORWARD_SYSLOG_URL" section:"Forwarding the activity log" doc:"Syslog server to which every new entry of the activity log is sent, as RFC 5424 with JSON. With tls:// over TLS (RFC 5425, port 6514 unless there is one). Unset: none." want:"an address such as tls://syslog.example.com:6514 or tcp://syslog.example.com:514"`
	ForwardSyslogCAFile   string `env:"FORWARD_SYSLOG_CA_FILE" doc:"File with the certificates to trust at the syslog server, in PEM format. Unset: those of the system."`
	ForwardSyslogCertFile string `env:"FORWARD_SYSLOG_CERT_FILE" doc:"Certificate with which this server identifies itself at the syslog server, in PEM format. Unset: none."`
	ForwardSyslogKeyFile  string `env:"FORWARD_SYSLOG_KEY_FILE" doc:"Its private key, in PEM format."`
	ForwardSyslogFacility string `env:"FORWARD_SYSLOG_FACILITY" envDefault:"audit" doc:"Facility of the messages." want:"audit, auth, authpriv, daemon, syslog, user, or local0 to local7"`
	ForwardOTLPURL        string `env:"FORWARD_OTLP_URL" doc:"Receiver of OpenTelemetry logs (OTLP over HTTP) to which every new entry of the activity log is sent. Without a path, /v1/logs is meant. Unset: none." want:"an http or https address without user and password, such as https://collector.example.com:4318"`
	ForwardOTLPHeaders    Secret `env:"FORWARD_OTLP_HEADERS" doc:"Headers that the receiver wants, such as Authorization=Bearer%20KEY." want:"name=value, several separated by commas"`
	ForwardOTLPCAFile     string `env:"FORWARD_OTLP_CA_FILE" doc:"File with the certificates to trust at the receiver, in PEM format. Unset: those of the system."`

	OASServerURL string `env:"OAS_SERVER_URL" section:"API document" doc:"Address of this server in the API document. Unset: the one at which the document was asked for." want:"an http or https address, or a path"`

	ChecksPath     string        `env:"CHECKS_PATH" section:"Checks" envDefault:"/usr/share/trento/checks:/etc/trento/checks" doc:"Directories with check files, the first of which has precedence. The directory checks in the data directory follows them." want:"directories, separated by colons"`
	ChecksBuiltin  bool          `env:"CHECKS_BUILTIN" envDefault:"true" doc:"Whether the checks that are part of this program are offered, after those of the directories."`
	ChecksInterval int           `env:"CHECKS_INTERVAL" envDefault:"5" doc:"Minutes between two automatic check runs of the same cluster or host." want:"minutes, from 1 to 1440"`
	ChecksTimeout  time.Duration `env:"CHECKS_TIMEOUT" envDefault:"60" doc:"How long agents may take to answer a check run." want:"seconds, or a duration such as 90s, from 10s to 10m"`

	PrometheusURL string `env:"PROMETHEUS_URL" envDefault:"http://localhost:9090" section:"Neighbours" later:"host charts" doc:"Where the metrics of the hosts are read." want:"an http or https address"`
	ChartsEnabled bool   `env:"CHARTS_ENABLED" envDefault:"true" later:"host charts" doc:"Whether host charts are offered."`
	ChecksBaseURL string `env:"CHECKS_SERVICE_BASE_URL" later:"checks" doc:"Address of a separate checks engine as the browser sees it." want:"an http or https address, or a path"`

	assignedValues map[string]assignedValue // the variables that are set, by name
}

// assignedValue is the value of a variable in its printable form, and where it came
// from.
type assignedValue struct {
	text   string
	origin string
}

// Secret is a text that must not be printed or logged. Convert it to a string
// to use it.
type Secret string

const maskedSecret = "********"

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return maskedSecret
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret from encoders, including those of loggers.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Level returns the log level as a value of package slog.
func (c Config) Level() slog.Level {
	switch c.LogLevel {
	case "debug":
		return slog.LevelDebug
	case "warning":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// serviceDataDir is the data directory of the service.
const serviceDataDir = "/var/lib/trento"

// defaultDataDir returns the data directory to use if none is configured.
// stateDirectory is the value of STATE_DIRECTORY: systemd sets it to the state
// directories of the service, separated by colons.
func defaultDataDir(stateDirectory string, uid int) string {
	if first, _, _ := strings.Cut(stateDirectory, ":"); first != "" {
		return first
	}
	if uid == 0 {
		return serviceDataDir
	}
	return "./trento-data"
}

// readFile reads a configuration file. The notices say which lines were
// skipped, and warn if other users can read the file, which may contain
// secrets.
func readFile(file string) ([]assignment, []Notice, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	assignments, skipped := parseFile(string(text))
	var notices []Notice
	for _, s := range skipped {
		notices = append(notices, Notice{file + ": " + s, "Correct the line, or put a # before it."})
	}
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o004 != 0 {
		notices = append(notices, Notice{file + " can be read by everybody on this machine; chmod 640 keeps its secrets", "chmod 640 " + file})
	}
	return assignments, notices, nil
}
