package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// rules take the place of the rules of package auth.
var rules = Rules{
	Username: refuse("system", "is reserved"),
	Email:    refuse("nowhere", "is not a valid email"),
	Password: refuse("weakpwd", "should be at least 8 character(s)"),
	Sender:   refuse("nobody", "Invalid e-mail address."), Recipients: refuse("a@b,c", "Invalid e-mail address."),
	SMTPServer: refuse("mail server", "is invalid"), WebhookAddress: refuse("http://chat.example/geheim", "should be an https address"),
}

func refuse(value, detail string) func(string) []string {
	return func(given string) []string {
		if given == value {
			return []string{detail}
		}
		return nil
	}
}

func load(t *testing.T, file string, environ ...string) (Config, []Notice, error) {
	t.Helper()
	name := ""
	if file != "" {
		name = filepath.Join(t.TempDir(), "trento-web")
		if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(name, environ, rules)
}

// textsOf returns the texts of notices, each of which must say what to change.
func textsOf(notices []Notice) []string {
	var texts []string
	for _, n := range notices {
		texts = append(texts, n.Text)
		if n.Mend == "" {
			texts = append(texts, "and nothing about what to change")
		}
	}
	return texts
}

var key = strings.Repeat("A", 44) // base64 of 33 zero bytes

func TestLoadDefaults(t *testing.T) {
	got, notices, err := load(t, "", "HOME=/root", "LANG=C")
	if err != nil || len(notices) > 0 {
		t.Fatalf("Load() = %v, %v; want neither notices nor error", notices, err)
	}
	if got.Port != 4000 || got.LogLevel != "info" || got.AdminUser != "admin" || got.AdminPassword != "" ||
		got.SessionLifetime != 6*time.Hour || !got.EnableAPIKey || got.HostHeartbeatInterval != 5*time.Second ||
		got.HostHeartbeatAllowedMissed != 0 || got.EnableOIDC || !got.SAMLSignRequests || got.EnableAlerting || got.SetsAlerts() {
		t.Errorf("defaults are %+v", got)
	}
}

func TestLoadValues(t *testing.T) {
	got, _, err := load(t, "",
		"PORT=0", "LOG_LEVEL=warning", "SESSION_LIFETIME=900", "HOST_HEARTBEAT_INTERVAL=10s", "ENABLE_API_KEY=false",
		"TRUSTED_PROXIES=10.0.0.7, 10.1.2.3/16 ::1,fd00::/8", "ENABLE_ALERTING=false", "SECRET_KEY_BASE="+key,
		"TRENTO_DATA_DIR=/data", "TRENTO_WEB_ORIGIN=trento.example.com:8443")
	if err != nil {
		t.Fatal(err)
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.7/32"), netip.MustParsePrefix("10.1.0.0/16"),
		netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fd00::/8")}
	if diff := cmp.Diff(fmt.Sprint(proxies), fmt.Sprint(got.TrustedProxies)); diff != "" {
		t.Errorf("TrustedProxies (-want +got):\n%s", diff)
	}
	if got.Port != 0 || got.Level() != slog.LevelWarn || got.SessionLifetime != 15*time.Minute || got.HostHeartbeatInterval != 10*time.Second ||
		got.EnableAPIKey || !got.SetsAlerts() || len(got.KeyBase()) != 33 || got.DataDir != "/data" {
		t.Errorf("values are %+v", got)
	}
}

// The file and the environment together mean what systemd would make of them:
// the file is laid over the environment, an empty value unsets.
func TestLoadPrecedence(t *testing.T) {
	got, notices, err := load(t, "PORT=5000\nADMIN_USER=\nLOG_LEVEL='debug'\nUNKNOWN=1\n",
		"PORT=6000", "ADMIN_USER=root", "ADMIN_EMAIL=root@example.com", "SESSION_LIFETIME=")
	if err != nil {
		t.Fatal(err)
	}
	if got.Port != 5000 || got.AdminUser != "admin" || got.AdminEmail != "root@example.com" || got.LogLevel != "debug" || got.SessionLifetime != 6*time.Hour {
		t.Errorf("values are %+v", got)
	}
	want := []string{
		"PORT is set both in the environment and in the file; the file wins",
		"ADMIN_USER is set both in the environment and in the file; the file wins",
	}
	if diff := cmp.Diff(want, textsOf(notices)); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}

	// systemd hands the merged variables over as environment: same result.
	again, _, err := load(t, "", "PORT=5000", "ADMIN_USER=", "LOG_LEVEL=debug", "UNKNOWN=1", "ADMIN_EMAIL=root@example.com", "SESSION_LIFETIME=")
	if err != nil {
		t.Fatal(err)
	}
	got.assignedValues, again.assignedValues = nil, nil // the origins differ
	if !reflect.DeepEqual(got, again) {
		t.Errorf("from the file:\n%+v\nfrom the environment:\n%+v", got, again)
	}
}

func TestLoadErrors(t *testing.T) {
	saml := []string{"ENABLE_SAML=true", "TRENTO_WEB_ORIGIN=trento.example.com", "SAML_IDP_ID=idp", "SAML_SP_ID=sp"}
	oidc := []string{"ENABLE_OIDC=true", "TRENTO_WEB_ORIGIN=trento.example.com", "OIDC_CLIENT_ID=id", "OIDC_CLIENT_SECRET=s", "OIDC_BASE_URL=https://idp.example.com"}
	tests := []struct {
		name    string
		environ []string
		want    string
	}{
		{"port", []string{"PORT=http"}, `PORT "http": want a number from 1 to 65535, or 0 for any free port`},
		{"port range", []string{"PORT=65536"}, `PORT "65536": want a number from 1 to 65535, or 0 for any free port`},
		{"listen", []string{"LISTEN=localhost"}, `LISTEN "localhost": want an address such as 127.0.0.1, 10.0.0.5 or ::1`},
		{"listen with a port", []string{"LISTEN=127.0.0.1:80"}, `LISTEN "127.0.0.1:80": want an address such as 127.0.0.1, 10.0.0.5 or ::1`},
		{"connections", []string{"MAX_CONNECTIONS=99"}, `MAX_CONNECTIONS "99": want a number from 100 to 100000`},
		{"connections of an address", []string{"MAX_CONNECTIONS_PER_ADDRESS=9"}, `MAX_CONNECTIONS_PER_ADDRESS "9": want a number from 10 to 100000, or 0 for no such limit`},
		{"admin", []string{"ADMIN_USER=system", "ADMIN_EMAIL=nowhere"}, "ADMIN_USER is reserved\nADMIN_EMAIL is not a valid email"},
		{"negative port", []string{"PORT=-1"}, `PORT "-1": want a number from 1 to 65535, or 0 for any free port`},
		{"level", []string{"LOG_LEVEL=INFO"}, `LOG_LEVEL "INFO": want debug, info, warning or error`},
		{"origin", []string{"TRENTO_WEB_ORIGIN=https://x.example.com/"}, `TRENTO_WEB_ORIGIN "https://x.example.com/": want a host name such as trento.example.com, without https:// and path`},
		{"unknown monitor", []string{"METRICS_ACCESS=all"}, `METRICS_ACCESS "all": want off, token, loopback or everyone`},
		{"unknown access", []string{"MCP_ACCESS=all"}, `MCP_ACCESS "all": want off, read or write`},
		{"unknown policy", []string{"PASSWORD_POLICY=hard"}, `PASSWORD_POLICY "hard": want warn or strict`},
		{"short idle time", []string{"SESSION_IDLE=59"}, `SESSION_IDLE "59": want 0 for off, or seconds or a duration such as 15m, from 1m to 720h`},
		{"short lifetime", []string{"SESSION_LIFETIME=299"}, `SESSION_LIFETIME "299": want seconds, or a duration such as 90m or 6h, from 5m to 720h`},
		{"long lifetime", []string{"SESSION_LIFETIME=720h1s"}, `SESSION_LIFETIME "720h1s": want seconds, or a duration such as 90m or 6h, from 5m to 720h`},
		{"lifetime in words", []string{"SESSION_LIFETIME=long"}, `SESSION_LIFETIME "long": want seconds, or a duration such as 90m or 6h, from 5m to 720h`},
		{"heartbeat", []string{"HOST_HEARTBEAT_INTERVAL=0"}, `HOST_HEARTBEAT_INTERVAL "0": want seconds, or a duration such as 5s, of at least one second`},
		{"missed", []string{"HOST_HEARTBEAT_ALLOWED_MISSED=-1"}, `HOST_HEARTBEAT_ALLOWED_MISSED "-1": want a number, 0 or more`},
		{"proxies", []string{"TRUSTED_PROXIES=10.0.0.0/8,proxy"}, `TRUSTED_PROXIES "10.0.0.0/8,proxy": want addresses or networks such as 10.0.0.7 or 10.1.0.0/16, separated by commas`},
		{"key base too short", []string{"SECRET_KEY_BASE=" + strings.Repeat("A", 40)}, `SECRET_KEY_BASE: want base64 text of at least 32 bytes, as openssl rand -base64 48 prints`},
		{"key base no base64", []string{"SECRET_KEY_BASE=" + strings.Repeat("!", 60)}, `SECRET_KEY_BASE: want base64 text of at least 32 bytes, as openssl rand -base64 48 prints`},
		{"same secrets", []string{"ACCESS_TOKEN_ENC_SECRET=" + key, "REFRESH_TOKEN_ENC_SECRET=" + key}, `REFRESH_TOKEN_ENC_SECRET: want a text other than that of ACCESS_TOKEN_ENC_SECRET`},
		{"weak password", []string{"ADMIN_PASSWORD=weakpwd"}, `ADMIN_PASSWORD should be at least 8 character(s)`},
		{"address", []string{"PROMETHEUS_URL=localhost:9090"}, `PROMETHEUS_URL "localhost:9090": want an http or https address`},
		{"address with a password", []string{"PROMETHEUS_URL=ftp://me:geheim@host/"}, `PROMETHEUS_URL "ftp://me:xxxxx@host/": want an http or https address`},
		{"prune at once", []string{"PRUNE_EVENTS_OLDER_THAN=0"}, `PRUNE_EVENTS_OLDER_THAN "0": want days, 1 or more`},
		{"all at once, in order", []string{"LOG_LEVEL=loud", "PORT=x", "ADMIN_PASSWORD=weakpwd", "CHECKS_INTERVAL=1441"},
			`PORT "x": want a number from 1 to 65535, or 0 for any free port` + "\n" + `LOG_LEVEL "loud": want debug, info, warning or error` + "\n" +
				`CHECKS_INTERVAL "1441": want minutes, from 1 to 1440` + "\n" + `ADMIN_PASSWORD should be at least 8 character(s)`},

		{"two kinds of single sign-on", []string{"ENABLE_OIDC=true", "ENABLE_SAML=true"},
			"Cannot start Trento with multiple SSO options enabled. Use one among: OIDC, OAUTH2 and SAML."},
		{"incomplete OIDC", []string{"ENABLE_OIDC=true", "OIDC_CLIENT_ID=id", "OIDC_BASE_URL="},
			"environment variable TRENTO_WEB_ORIGIN is missing\nenvironment variable OIDC_CLIENT_SECRET is missing\nenvironment variable OIDC_BASE_URL is missing"},
		{"incomplete OAuth 2.0", []string{"ENABLE_OAUTH2=true", "TRENTO_WEB_ORIGIN=x", "OAUTH2_CLIENT_ID=a", "OAUTH2_CLIENT_SECRET=b", "OAUTH2_BASE_URL=https://x", "OAUTH2_AUTHORIZE_URL=/a"},
			"environment variable OAUTH2_TOKEN_URL is missing\nenvironment variable OAUTH2_USER_URL is missing"},
		{"SAML without metadata", saml, "One of SAML_METADATA_URL or SAML_METADATA_CONTENT must be provided"},

		{"two certificates", []string{"TLS_CERT_FILE=a", "TLS_KEY_FILE=a", "TLS_SELF_SIGNED=true", "TLS_ACME_DOMAIN=trento.example.com"},
			"the server can have only one certificate, but these are set: TLS_CERT_FILE and TLS_KEY_FILE, TLS_SELF_SIGNED, TLS_ACME_DOMAIN"},
		{"certificate without a key", []string{"TLS_CERT_FILE=a"}, "TLS_CERT_FILE and TLS_KEY_FILE need each other: set both, to the same file if it has both"},
		{"key without a certificate", []string{"TLS_KEY_FILE=a"}, "TLS_CERT_FILE and TLS_KEY_FILE need each other: set both, to the same file if it has both"},
		{"ACME variables without a domain", []string{"TLS_SELF_SIGNED=true", "TLS_ACME_EMAIL=a@example.com", "TLS_ACME_CA_FILE=x"},
			"TLS_ACME_EMAIL has no effect without TLS_ACME_DOMAIN\nTLS_ACME_CA_FILE has no effect without TLS_ACME_DOMAIN"},
		{"ACME for an address", []string{"TLS_ACME_DOMAIN=192.0.2.1"}, `TLS_ACME_DOMAIN "192.0.2.1": want a host name such as trento.example.com`},
		{"ACME for a short name", []string{"TLS_ACME_DOMAIN=trento"}, `TLS_ACME_DOMAIN "trento": want a host name such as trento.example.com`},
		{"ACME without https", []string{"TLS_ACME_DOMAIN=trento.example.com", "PORT=443", "TLS_ACME_DIRECTORY=http://acme.example.com"}, `TLS_ACME_DIRECTORY "http://acme.example.com": want an https address`},
		{"redirect without a certificate", []string{"HTTP_REDIRECT_PORT=80"}, "HTTP_REDIRECT_PORT has no effect without a certificate (TLS_CERT_FILE, TLS_SELF_SIGNED or TLS_ACME_DOMAIN)"},
		{"redirect to itself", []string{"TLS_SELF_SIGNED=true", "HTTP_REDIRECT_PORT=4000"}, "PORT and HTTP_REDIRECT_PORT are both 4000"},
		{"HSTS without TLS", []string{"HSTS_MAX_AGE=60"}, "HSTS_MAX_AGE has no effect without a certificate (TLS_CERT_FILE, TLS_SELF_SIGNED or TLS_ACME_DOMAIN) or a proxy with TLS in TRUSTED_PROXIES"},
		{"HSTS behind a proxy", []string{"HSTS_MAX_AGE=60", "TRUSTED_PROXIES=10.0.0.7"}, "<nil>"},
		{"no messages without a certificate", []string{"ENABLE_PLAIN_AMQP=false"}, "ENABLE_PLAIN_AMQP=false leaves agents no way to connect for messages without a certificate (TLS_CERT_FILE, TLS_SELF_SIGNED or TLS_ACME_DOMAIN)"},
		{"one port for messages", []string{"TLS_SELF_SIGNED=true", "AMQPS_PORT=5672"}, "AMQP_PORT and AMQPS_PORT are both 5672"},
		{"one port for messages, with TLS only", []string{"TLS_SELF_SIGNED=true", "AMQPS_PORT=5672", "ENABLE_PLAIN_AMQP=false"}, "<nil>"},
		{"any free ports", []string{"TLS_SELF_SIGNED=true", "PORT=0", "HTTP_REDIRECT_PORT=0", "AMQP_PORT=0", "AMQPS_PORT=0"}, "<nil>"},
		{"SAML", append(saml, "SAML_METADATA_CONTENT=<x/>"), "<nil>"},
		{"OIDC", oidc, "<nil>"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := load(t, "", test.environ...)
			if diff := cmp.Diff(test.want, fmt.Sprint(err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}

	if _, _, err := Load(filepath.Join(t.TempDir(), "missing"), nil, rules); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a missing file gives %v", err)
	}
}

// TestMessagePorts checks which ports the message endpoint opens.
func TestMessagePorts(t *testing.T) {
	for environ, want := range map[string]string{
		"": "true false", "TLS_SELF_SIGNED=true": "true true", "TLS_SELF_SIGNED=true ENABLE_PLAIN_AMQP=false": "false true",
		"TLS_SELF_SIGNED=true ENABLE_AMQP=false": "false false", "TLS_SELF_SIGNED=true AMQP_URL=amqp://broker": "false false",
	} {
		c, _, err := load(t, "", strings.Fields(environ)...)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(c.MessagePorts()); got != want {
			t.Errorf("%s: %s, want %s", environ, got, want)
		}
	}
}

// TestNoticeACMEPorts checks that the start says if no authority can reach this
// server.
func TestNoticeACMEPorts(t *testing.T) {
	for environ, want := range map[string]int{
		"": 1, "PORT=443": 0, "HTTP_REDIRECT_PORT=80": 0, "HTTP_REDIRECT_PORT=8080": 1,
	} {
		_, notices, err := load(t, "", append(strings.Fields(environ), "TLS_ACME_DOMAIN=trento.example.com")...)
		if err != nil || len(notices) != want {
			t.Errorf("%s: %v, %v", environ, notices, err)
		}
	}
}

func TestLoadNotices(t *testing.T) {
	_, notices, err := load(t, "hello\nENABLE_API_KEY=yes\n",
		"DATABASE_URL=ecto://x", "RUNNER_URL=x", "ADMIN_USERNAME=root", "CHARTS_ENABLED=true", "ENABLE_OIDC=TRUE", "ACCESS_TOKEN_ENC_SECRET=short")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"FILE: line 1 is ignored: it has no =",
		`ENABLE_API_KEY is "yes", which counts as false: only the word true switches it on`,
		`ENABLE_OIDC is "TRUE", which counts as false: only the word true switches it on`,
		"set, but no longer needed, and ignored: DATABASE_URL, RUNNER_URL",
		"set, but without effect, because this build lacks the feature: CHARTS_ENABLED (host charts)",
		"ADMIN_USERNAME is ignored: the name of the default admin is set with ADMIN_USER",
		"ACCESS_TOKEN_ENC_SECRET is short: 32 characters or more are hard to guess",
	}
	var got []string
	for _, n := range notices {
		text := n.Text
		if at := strings.Index(text, "trento-web: "); at >= 0 {
			text = "FILE: " + text[at+len("trento-web: "):]
		}
		got = append(got, text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
}

func TestOpenFileIsNoticed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trento-web")
	if err := os.WriteFile(file, []byte("PORT=1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, notices, err := Load(file, nil, rules)
	if err != nil || len(notices) != 1 || !strings.Contains(notices[0].Text, "can be read by everybody") {
		t.Errorf("Load() = %q, %v", notices, err)
	}
}

func TestDefaultDataDir(t *testing.T) {
	for _, test := range []struct {
		state string
		uid   int
		want  string
	}{
		{"", 0, "/var/lib/trento"},
		{"", 1000, "./trento-data"},
		{"/var/lib/trento", 480, "/var/lib/trento"},
		{"/var/lib/private/trento:/var/lib/other", 0, "/var/lib/private/trento"},
	} {
		if got := defaultDataDir(test.state, test.uid); got != test.want {
			t.Errorf("defaultDataDir(%q, %d) = %q, want %q", test.state, test.uid, got, test.want)
		}
	}
}

// Every variable is documented, and names the allowed values if its type can
// refuse a value.
func TestVariables(t *testing.T) {
	fields := map[string]reflect.Type{}
	for field := range reflect.TypeFor[Config]().Fields() {
		fields[field.Name] = field.Type
	}
	seen := map[string]bool{}
	for _, v := range Variables() {
		if seen[v.Name] {
			t.Errorf("%s stands twice", v.Name)
		}
		seen[v.Name] = true
		if !strings.HasSuffix(v.Doc, ".") {
			t.Errorf("%s: doc %q is no sentence", v.Name, v.Doc)
		}
		if kind := fields[v.fieldName].Kind(); v.Want == "" && kind != reflect.String && !v.isBoolean {
			t.Errorf("%s does not say what it wants", v.Name)
		}
	}
	// Existing configuration files contain these names, so they must not
	// change.
	names := `ACCESS_TOKEN_ENC_SECRET ADMIN_EMAIL ADMIN_PASSWORD ADMIN_USER ALERT_DELAY ALERT_NOTIFY_RECOVERY ALERT_RECIPIENT ALERT_REPEAT ALERT_SENDER ALERT_WEBHOOK_SECRET ALERT_WEBHOOK_URL AMQP_LISTEN AMQP_MAX_CONNECTIONS
		AMQP_MAX_CONNECTIONS_PER_ADDRESS AMQP_PASSWORD AMQP_PORT AMQP_URL AMQP_USER AMQP_VHOST AMQPS_PORT BACKUP_DIR BACKUP_INTERVAL BACKUP_KEEP BACKUP_PASSPHRASE CHARTS_ENABLED
		CHECKS_BUILTIN CHECKS_INTERVAL CHECKS_PATH CHECKS_SERVICE_BASE_URL CHECKS_TIMEOUT ENABLE_AMQP ENABLE_ALERTING ENABLE_API_KEY ENABLE_OAUTH2 ENABLE_OIDC ENABLE_PLAIN_AMQP ENABLE_SAML
		FORWARD_OTLP_CA_FILE FORWARD_OTLP_HEADERS FORWARD_OTLP_URL FORWARD_SYSLOG_CA_FILE FORWARD_SYSLOG_CERT_FILE FORWARD_SYSLOG_FACILITY FORWARD_SYSLOG_KEY_FILE FORWARD_SYSLOG_URL
		HOST_HEARTBEAT_ALLOWED_MISSED HOST_HEARTBEAT_INTERVAL HSTS_MAX_AGE HTTP_REDIRECT_PORT INTROSPECTION_ALLOWED_ADDRESSES LISTEN LOG_LEVEL
		MAX_CONNECTIONS MAX_CONNECTIONS_PER_ADDRESS MCP_ACCESS METRICS_ACCESS OAS_SERVER_URL
		OAUTH2_AUTHORIZE_URL OAUTH2_BASE_URL OAUTH2_CALLBACK_URL OAUTH2_CLIENT_ID OAUTH2_CLIENT_SECRET OAUTH2_SCOPES
		OAUTH2_TOKEN_URL OAUTH2_USER_URL OIDC_BASE_URL OIDC_CALLBACK_URL OIDC_CLIENT_ID OIDC_CLIENT_SECRET PASSWORD_POLICY PORT PROMETHEUS_URL
		PRUNE_EVENTS_OLDER_THAN REFRESH_TOKEN_ENC_SECRET SAML_EMAIL_ATTR_NAME SAML_FIRSTNAME_ATTR_NAME
		SAML_IDP_ID SAML_IDP_NAMEID_FORMAT SAML_LASTNAME_ATTR_NAME SAML_METADATA_CONTENT SAML_METADATA_URL SAML_SIGNED_ASSERTION
		SAML_SIGNED_ENVELOPES SAML_SIGN_METADATA SAML_SIGN_REQUESTS SAML_SP_CONTACT_EMAIL SAML_SP_CONTACT_NAME SAML_SP_DIR
		SAML_SP_ENTITY_ID SAML_SP_ID SAML_SP_ORG_DISPLAYNAME SAML_SP_ORG_NAME SAML_SP_ORG_URL SAML_USERNAME_ATTR_NAME
		SECRET_KEY_BASE SESSION_IDLE SESSION_LIFETIME TOKEN_RATE_LIMIT SMTP_CA_FILE SMTP_INSECURE SMTP_PASSWORD SMTP_PORT SMTP_SERVER SMTP_USER
		TLS_ACME_CA_FILE TLS_ACME_DIRECTORY TLS_ACME_DOMAIN TLS_ACME_EMAIL TLS_CERT_FILE TLS_KEY_FILE TLS_SELF_SIGNED TRENTO_DATA_DIR TRENTO_WEB_ORIGIN TRUSTED_PROXIES`
	for name := range strings.FieldsSeq(names) {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
		delete(seen, name)
	}
	if len(seen) > 0 {
		t.Errorf("not in the list of this test: %v", seen)
	}
}

func TestPrint(t *testing.T) {
	config, _, err := load(t, "PORT=5000\nADMIN_PASSWORD=geheim-geheim\nSMTP_PASSWORD=geheim\n",
		"LOG_LEVEL=debug", "ACCESS_TOKEN_ENC_SECRET=geheim"+key, "TRENTO_DATA_DIR=/data/trento", "PROMETHEUS_URL=http://me:geheim@prometheus:9090")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := config.Print(&out); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/print.golden", out.Bytes())
	if strings.Contains(out.String(), "geheim") {
		t.Error("a secret is printed")
	}
}

// Neither printing nor logging a configuration shows a secret.
func TestSecretsStayHidden(t *testing.T) {
	config, _, err := load(t, "", "ADMIN_PASSWORD=geheim-geheim", "SECRET_KEY_BASE="+key)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %q\n", config, config, config, config.AdminPassword, config.AdminPassword)
	if err := json.NewEncoder(&out).Encode(config); err != nil {
		t.Fatal(err)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("start", "config", config, "password", config.AdminPassword)
	}
	if strings.Contains(out.String(), "geheim") || strings.Contains(out.String(), key) {
		t.Errorf("a secret is shown:\n%s", out.String())
	}
}

func TestExample(t *testing.T) {
	var out bytes.Buffer
	if err := Example(&out); err != nil {
		t.Fatal(err)
	}
	golden(t, "../trento-web.example", out.Bytes())

	// As it is, the example changes nothing; with every line switched on, too.
	if assignments, skipped := parseFile(out.String()); len(assignments) > 0 || len(skipped) > 0 {
		t.Errorf("the example sets %v, skips %v", assignments, skipped)
	}
	switchedOn := strings.NewReplacer("\n# ", "\n# ", "\n#", "\n").Replace(out.String())
	got, _, err := load(t, switchedOn)
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	got.assignedValues, want.assignedValues = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the example means\n%+v\nthe defaults are\n%+v", got, want)
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got); go test -update rewrites it:\n%s", file, diff)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestPrintReportsErrors(t *testing.T) {
	if err := (Config{}).Print(failingWriter{}); err == nil {
		t.Error("Print() = nil on a broken pipe")
	}
	if err := Example(failingWriter{}); err == nil {
		t.Error("Example() = nil on a broken pipe")
	}
}
