package auth

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"trento/store"
	"trento/store/activity"
	"trento/store/fault"
)

// The errors of the settings of alerts.
var (
	// ErrAlertSettingsEnforced: the settings cannot be changed, because the
	// configuration sets them.
	ErrAlertSettingsEnforced = &fault.Error{Kind: fault.Conflict, Detail: "Alerting settings can not be set, enforced by ENV."}
	// ErrNoAlertSettings: there are no settings, neither stored nor configured.
	ErrNoAlertSettings = &fault.Error{Kind: fault.NotFound, Detail: "Alerting settings not configured."}
)

// AlertSettings say whether alerts are sent, to whom, and by which way.
type AlertSettings struct {
	Enabled      bool
	Enforced     bool // the configuration sets them, so they cannot be changed here
	Sender       string
	Recipients   []string
	SMTPServer   string // as it was given, see SMTPHost
	SMTPPort     int
	SMTPUsername string // "": the mail relay needs no login
	SMTPPassword string
	// NotifyRecovery: a message is also sent when a thing is well again.
	NotifyRecovery bool
	WebhookURL     string // "": there is no webhook
	WebhookSecret  string // "": messages to the webhook are not signed
	// SecretsLost: secrets are stored, but cannot be decrypted, because
	// SECRET_KEY_BASE was changed. The lost ones are "".
	SecretsLost bool
}

// smtpsPort is the port on which mail relays expect TLS from the start.
const smtpsPort = 465

// SMTPHost returns the host name or IP address of the mail relay, and whether
// TLS begins at once.
func (s AlertSettings) SMTPHost() (host string, implicitTLS bool) {
	host, implicitTLS, _ = parseSMTPServer(s.SMTPServer)
	return host, implicitTLS || s.SMTPPort == smtpsPort
}

// AlertSettingsInput are settings of alerts in a request. A field is nil if the
// request does not contain it.
type AlertSettingsInput struct {
	Enabled        *bool
	Sender         *string
	Recipients     *string // separated by commas
	SMTPServer     *string
	SMTPPort       *int
	SMTPUsername   *string
	SMTPPassword   *string
	NotifyRecovery *bool
	WebhookURL     *string
	WebhookSecret  *string
}

// alertSettings are the configured settings of alerts, and what encrypts the
// stored ones.
type alertSettings struct {
	configured *AlertSettings // nil: the stored ones are used
	sealer     cipher.AEAD
}

// The labels that bind encrypted settings to their purpose.
const (
	smtpPasswordLabel  = "smtp password"
	webhookURLLabel    = "webhook url"
	webhookSecretLabel = "webhook secret"
)

// AlertSettings returns the settings in effect with their secrets: the
// configured ones, or else the stored ones. It fails with ErrNoAlertSettings if
// there are none.
func (a *Auth) AlertSettings(tx *store.Tx) (AlertSettings, error) {
	if a.alerts.configured != nil {
		return *a.alerts.configured, nil
	}
	stored, err := tx.AlertSettings()
	if errors.Is(err, store.ErrNotFound) {
		return AlertSettings{}, ErrNoAlertSettings
	}
	if err != nil {
		return AlertSettings{}, err
	}
	return a.alerts.open(stored), nil
}

// open returns stored settings with their secrets decrypted.
func (s *alertSettings) open(stored *store.AlertSettings) AlertSettings {
	opened := AlertSettings{
		Enabled: stored.Enabled, Sender: stored.Sender, Recipients: SplitRecipients(stored.Recipients),
		SMTPServer: stored.SMTPServer, SMTPPort: stored.SMTPPort, SMTPUsername: stored.SMTPUsername,
		NotifyRecovery: stored.NotifyRecovery,
	}
	unseal := func(sealed []byte, label string) string {
		if sealed == nil {
			return ""
		}
		text, err := s.sealer.Open(nil, nil, sealed, []byte(label))
		opened.SecretsLost = opened.SecretsLost || err != nil
		return string(text)
	}
	opened.SMTPPassword = unseal(stored.SMTPPassword, smtpPasswordLabel)
	opened.WebhookURL = unseal(stored.WebhookURL, webhookURLLabel)
	opened.WebhookSecret = unseal(stored.WebhookSecret, webhookSecretLabel)
	return opened
}

// SaveAlertSettings stores the first settings. It fails with
// ErrAlertSettingsEnforced, with faults of fields, or with a fault of type if
// there are settings already.
func (a *Auth) SaveAlertSettings(ctx context.Context, by *Identity, in AlertSettingsInput) error {
	if a.alerts.configured != nil {
		return ErrAlertSettingsEnforced
	}
	if err := in.check(true); err != nil {
		return err
	}
	var settings store.AlertSettings
	a.alerts.apply(in, &settings)
	return a.store.SaveAlertSettings(ctx, by.Actor(), settings, in.forLog())
}

// ChangeAlertSettings changes the given fields of the stored settings. It fails
// with ErrAlertSettingsEnforced, ErrNoAlertSettings, or faults of fields.
func (a *Auth) ChangeAlertSettings(ctx context.Context, by *Identity, in AlertSettingsInput) error {
	if a.alerts.configured != nil {
		return ErrAlertSettingsEnforced
	}
	err := a.store.ChangeAlertSettings(ctx, by.Actor(), func(settings *store.AlertSettings) error {
		if err := in.check(false); err != nil {
			return err
		}
		a.alerts.apply(in, settings)
		return nil
	}, in.forLog())
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoAlertSettings
	}
	return err
}

// ClearAlertSettings deletes the stored settings. It fails with
// ErrAlertSettingsEnforced or ErrNoAlertSettings.
func (a *Auth) ClearAlertSettings(ctx context.Context, by *Identity) error {
	if a.alerts.configured != nil {
		return ErrAlertSettingsEnforced
	}
	err := a.store.ClearAlertSettings(ctx, by.Actor())
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoAlertSettings
	}
	return err
}

// AlertSettingsToTry returns the settings that a test message is sent with: those
// in effect, changed by the given fields. If there are none in effect, the input
// must be complete. The stored secrets are only used with the server that they
// are stored for: otherwise somebody who may change the settings could have the
// password sent to a server of his own.
func (a *Auth) AlertSettingsToTry(tx *store.Tx, in AlertSettingsInput) (AlertSettings, error) {
	settings, err := a.AlertSettings(tx)
	isEmpty := in == AlertSettingsInput{}
	switch {
	case errors.Is(err, ErrNoAlertSettings) && !isEmpty:
		err = in.check(true)
	case err == nil && settings.Enforced && !isEmpty:
		err = ErrAlertSettingsEnforced
	case err == nil:
		err = in.check(false)
	}
	if err != nil {
		return AlertSettings{}, err
	}
	before := settings
	replace(&settings.Sender, in.Sender)
	replace(&settings.SMTPServer, in.SMTPServer)
	replace(&settings.SMTPPort, in.SMTPPort)
	replace(&settings.SMTPUsername, in.SMTPUsername)
	replace(&settings.SMTPPassword, in.SMTPPassword)
	replace(&settings.WebhookURL, in.WebhookURL)
	replace(&settings.WebhookSecret, in.WebhookSecret)
	if in.Recipients != nil {
		settings.Recipients = SplitRecipients(*in.Recipients)
	}
	var faults fault.Errors
	if in.SMTPPassword == nil && before.SMTPPassword != "" && (settings.SMTPServer != before.SMTPServer || settings.SMTPPort != before.SMTPPort) {
		faults.Add("smtp_password", "The stored password is only sent to the stored server. Enter the password to try another one.")
	}
	if in.WebhookSecret == nil && before.WebhookSecret != "" && settings.WebhookURL != before.WebhookURL {
		settings.WebhookSecret = ""
	}
	return settings, faults.Err()
}

// replace sets a value to a given one, if there is one.
func replace[T any](value *T, given *T) {
	if given != nil {
		*value = *given
	}
}

// apply changes settings by the given fields. It encrypts the secrets.
func (s *alertSettings) apply(in AlertSettingsInput, to *store.AlertSettings) {
	replace(&to.Enabled, in.Enabled)
	replace(&to.Sender, in.Sender)
	replace(&to.Recipients, in.Recipients)
	replace(&to.SMTPServer, in.SMTPServer)
	replace(&to.SMTPPort, in.SMTPPort)
	replace(&to.SMTPUsername, in.SMTPUsername)
	replace(&to.NotifyRecovery, in.NotifyRecovery)
	seal := func(sealed *[]byte, given *string, label string) {
		if given == nil {
			return
		}
		*sealed = nil
		if *given != "" {
			*sealed = s.sealer.Seal(nil, nil, []byte(*given), []byte(label))
		}
	}
	seal(&to.SMTPPassword, in.SMTPPassword, smtpPasswordLabel)
	seal(&to.WebhookURL, in.WebhookURL, webhookURLLabel)
	seal(&to.WebhookSecret, in.WebhookSecret, webhookSecretLabel)
}

// forLog returns the fields for the log, which has no secrets.
func (in AlertSettingsInput) forLog() activity.AlertingSettings {
	return activity.AlertingSettings{
		Enabled: in.Enabled, Sender: in.Sender, Recipients: in.Recipients, SMTPServer: in.SMTPServer, SMTPPort: in.SMTPPort,
		SMTPUsername: in.SMTPUsername, SMTPPassword: in.SMTPPassword != nil, NotifyRecovery: in.NotifyRecovery,
		WebhookURL: in.WebhookURL != nil, WebhookSecret: in.WebhookSecret != nil,
	}
}

// check returns the faults of the given fields. If all is set, each field that
// the first settings need must be given.
func (in AlertSettingsInput) check(all bool) error {
	var faults fault.Errors
	require := func(field string, given bool) {
		if all && !given {
			faults.Add(field, "Missing field: "+field)
		}
	}
	judge := func(field string, given *string, judge func(string) []string) {
		if given == nil {
			return
		}
		for _, detail := range judge(*given) {
			faults.Add(field, detail)
		}
	}
	require("enabled", in.Enabled != nil)
	require("sender_email", in.Sender != nil)
	require("recipient_email", in.Recipients != nil)
	require("smtp_server", in.SMTPServer != nil)
	require("smtp_port", in.SMTPPort != nil)
	require("smtp_username", in.SMTPUsername != nil)
	require("smtp_password", in.SMTPPassword != nil)
	judge("sender_email", in.Sender, AlertSenderFaults)
	judge("recipient_email", in.Recipients, AlertRecipientsFaults)
	judge("smtp_server", in.SMTPServer, SMTPServerFaults)
	if in.SMTPPort != nil && (*in.SMTPPort < 1 || *in.SMTPPort > 65535) {
		faults.Add("smtp_port", "Invalid port number.")
	}
	judge("smtp_username", in.SMTPUsername, loginFaults)
	judge("smtp_password", in.SMTPPassword, loginFaults)
	judge("webhook_url", in.WebhookURL, WebhookURLFaults)
	judge("webhook_secret", in.WebhookSecret, loginFaults)
	return faults.Err()
}

// The limits of the settings of alerts.
const (
	maxRecipients     = 50
	maxRecipientsSize = 2000 // characters of all recipients together
	maxLoginSize      = 500  // characters
	maxWebhookURLSize = 2000 // characters
)

const (
	invalidDetail        = "is invalid"
	invalidAddressDetail = "Invalid e-mail address."
	// notASCIIDetail is the fault of an address that only relays with SMTPUTF8
	// take.
	notASCIIDetail = "Only letters without accents can be used before the @ of an e-mail address."
)

// AlertSenderFaults returns what is wrong with the sender of alerts.
func AlertSenderFaults(address string) []string {
	switch {
	case isBlank(address):
		return []string{blankDetail}
	case !isEmail(address):
		return []string{invalidAddressDetail}
	case !isASCII(address[:strings.LastIndexByte(address, '@')]):
		return []string{notASCIIDetail}
	}
	return nil
}

// AlertRecipientsFaults returns what is wrong with the recipients of alerts,
// which are separated by commas.
func AlertRecipientsFaults(recipients string) []string {
	if isBlank(recipients) {
		return []string{blankDetail}
	}
	if utf8.RuneCountInString(recipients) > maxRecipientsSize {
		return []string{fmt.Sprintf("should be at most %d character(s)", maxRecipientsSize)}
	}
	addresses := SplitRecipients(recipients)
	if len(addresses) > maxRecipients {
		return []string{fmt.Sprintf("should be at most %d address(es)", maxRecipients)}
	}
	for _, address := range addresses {
		switch faults := AlertSenderFaults(address); {
		case slices.Contains(faults, blankDetail):
			return []string{invalidAddressDetail}
		case len(faults) > 0:
			return faults
		}
	}
	return nil
}

// SplitRecipients returns the addresses of a list that is separated by commas.
func SplitRecipients(recipients string) []string {
	addresses := strings.Split(recipients, ",")
	for i := range addresses {
		addresses[i] = strings.TrimSpace(addresses[i])
	}
	return addresses
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

// SMTPServerFaults returns what is wrong with the name of a mail relay.
func SMTPServerFaults(server string) []string {
	if isBlank(server) {
		return []string{blankDetail}
	}
	if _, _, ok := parseSMTPServer(server); !ok {
		return []string{invalidDetail}
	}
	return nil
}

// parseSMTPServer returns the host in the name of a mail relay: a host name, an
// IP address, or one of them behind a scheme. The scheme smtps asks for TLS from
// the start. Existing clients also send https, which asks for nothing.
func parseSMTPServer(server string) (host string, implicitTLS, ok bool) {
	host = server
	for _, scheme := range []string{"https://", "smtp://", "smtps://"} {
		if rest, found := strings.CutPrefix(server, scheme); found {
			host, implicitTLS = strings.TrimSuffix(rest, "/"), scheme == "smtps://"
		}
	}
	if inner, found := strings.CutPrefix(host, "["); found {
		if host, found = strings.CutSuffix(inner, "]"); !found {
			return "", false, false
		}
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return host, implicitTLS, true
	}
	return host, implicitTLS, isHostName(host)
}

// isHostName reports whether a text is a host name. Like resolvers, it accepts
// underscores and a dot at the end.
func isHostName(text string) bool {
	text = strings.TrimSuffix(text, ".")
	if text == "" || len(text) > maxDomain {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > maxLabel || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.ContainsFunc(label, func(r rune) bool {
				return r != '-' && r != '_' && (r > unicode.MaxASCII || !isLetterOrDigit(r))
			}) {
			return false
		}
	}
	return true
}

// loginFaults returns what is wrong with a user name, a password or a secret.
// Each may be "".
func loginFaults(text string) []string {
	switch {
	case utf8.RuneCountInString(text) > maxLoginSize:
		return []string{fmt.Sprintf("should be at most %d character(s)", maxLoginSize)}
	case strings.ContainsFunc(text, unicode.IsControl):
		return []string{invalidDetail}
	}
	return nil
}

// WebhookURLFaults returns what is wrong with the address of a webhook. "" is
// right: there is none.
func WebhookURLFaults(address string) []string {
	switch u, err := url.Parse(address); {
	case address == "":
		return nil
	case utf8.RuneCountInString(address) > maxWebhookURLSize:
		return []string{fmt.Sprintf("should be at most %d character(s)", maxWebhookURLSize)}
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.ContainsFunc(address, unicode.IsSpace):
		return []string{"should be an https address"}
	case isLinkLocal(u.Hostname()):
		return []string{"should not be a link-local address"}
	}
	return nil
}

// isLinkLocal reports whether a host is a link-local IP address. Under such
// addresses clouds offer credentials of the machine.
func isLinkLocal(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLinkLocalUnicast()
}
