package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/alert"
	"trento/store/outbox"
	"trento/ui/alerting"
	"trento/ui/mail"
	"trento/ui/webhook"
)

// alertSender sends the messages about alerts. Nothing else sends them, and it
// works step by step, so no message is sent twice. The exception is a message
// that was sent but could not be recorded because the process ended: it is sent
// again.
type alertSender struct {
	store    *store.Store
	log      *slog.Logger
	settings func(*store.Tx) (auth.AlertSettings, error)
	channels *alerting.Channels
	webhook  func(auth.AlertSettings) *webhook.Webhook
	console  string // address of the console
	// unrecordedOutcomes are outcomes of attempts that could not be stored, for example
	// because the disk is full. Their messages must not be sent again.
	unrecordedOutcomes []store.DeliveryOutcome
}

// newAlertSender returns the sender of this server.
func (s *server) newAlertSender() *alertSender {
	return &alertSender{store: s.store, log: s.log, settings: s.auth.AlertSettings, channels: s.alerting, webhook: s.alerting.Webhook, console: s.consoleURL()}
}

// consoleURL returns the address of the console for people on other machines.
func (s *server) consoleURL() string {
	if s.config.Origin != "" {
		return "https://" + s.config.Origin
	}
	if address := s.agentURL(); strings.HasPrefix(address, "http") {
		return address
	}
	return s.url()
}

// checkExpiries raises alerts about keys and certificates that expire soon. A
// certificate that the server renews by itself is included only if the renewal
// fails.
func (s *server) checkExpiries(ctx context.Context) error {
	var expiries []alert.Expiry
	if s.certificate != nil {
		c := s.certificate.Status()
		e := alert.Expiry{Kind: alert.CertificateExpiry, Thing: alert.CertificateThing(alert.TLSCertificate)}
		if s.config.TLSCertFile != "" || len(c.Faults) > 0 {
			e.Deadline = c.NotAfter
		}
		expiries = append(expiries, e)
	}
	if provider := s.auth.SAML(); provider != nil {
		expiries = append(expiries, alert.Expiry{
			Kind: alert.CertificateExpiry, Thing: alert.CertificateThing(alert.SAMLCertificate), Deadline: provider.CertificateEnd(),
		})
	}
	return s.store.CheckExpiries(ctx, expiries...)
}

// maxAlertPause is the longest pause of the sender. A pause ends early when
// alerts change, but not when settings change.
const maxAlertPause = 30 * time.Second

// storeRetryPause is the pause of the sender after it could not read or write
// the store.
const storeRetryPause = 10 * time.Second

// run sends messages until ctx is done.
func (a *alertSender) run(ctx context.Context) error {
	for ctx.Err() == nil {
		next, err := a.runStep(ctx)
		pause := maxAlertPause
		if !next.IsZero() {
			pause = min(pause, next.Sub(a.store.Now()))
		}
		if err != nil && ctx.Err() == nil {
			a.log.Error("alerts cannot be sent", "error", err)
			pause = storeRetryPause
		}
		timer := time.NewTimer(max(pause, 0))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-a.store.AlertsChanged():
		}
		timer.Stop()
	}
	return nil
}

// runStep decides which messages are sent, sends them, and records the
// outcomes. next is the time of the next step; zero if nothing has to be done
// until alerts change.
func (a *alertSender) runStep(ctx context.Context) (next time.Time, err error) {
	if err := a.recordOutcomes(ctx); err != nil {
		return time.Time{}, err
	}
	settings, policy, err := a.readSettings()
	if err != nil {
		return time.Time{}, err
	}
	planned, err := a.store.PlanAlerts(ctx, policy)
	if err != nil {
		return time.Time{}, err
	}
	mails, notices, err := a.dueMessages()
	if err != nil {
		return time.Time{}, err
	}
	var mailed, posted []store.DeliveryOutcome
	var channels sync.WaitGroup
	channels.Go(func() { mailed = a.sendMails(ctx, settings, mails) })
	channels.Go(func() { posted = a.sendToWebhook(ctx, settings, notices) })
	channels.Wait()
	a.unrecordedOutcomes = slices.Concat(mailed, posted)
	if err := a.recordOutcomes(ctx); err != nil {
		return time.Time{}, err
	}
	return a.nextWakeUp(planned)
}

// recordOutcomes stores the outcomes that are not stored yet.
func (a *alertSender) recordOutcomes(ctx context.Context) error {
	if len(a.unrecordedOutcomes) == 0 {
		return nil
	}
	// What was sent is recorded even if the server is stopping.
	err := a.store.RecordDeliveries(context.WithoutCancel(ctx), a.unrecordedOutcomes...)
	if err == nil {
		a.unrecordedOutcomes = nil
	}
	return err
}

// readSettings returns the settings in effect and the alert policy that they
// lead to.
func (a *alertSender) readSettings() (settings auth.AlertSettings, policy alert.Policy, err error) {
	err = a.store.View(func(tx *store.Tx) error {
		settings, err = a.settings(tx)
		if errors.Is(err, auth.ErrNoAlertSettings) {
			return nil // alerts are off
		}
		return err
	})
	return settings, a.channels.Policy(settings), err
}

// dueMessages returns the messages that must be sent now, for each channel.
// Messages that have never failed come first, so that a message which the relay
// always refuses does not delay the others.
func (a *alertSender) dueMessages() (mails, notices []*mail.Alert, err error) {
	err = a.store.View(func(tx *store.Tx) error {
		open, err := tx.OpenDeliveries()
		if err != nil {
			return err
		}
		for _, d := range open {
			if !d.Mail.Due(a.store.Now()) && !d.Webhook.Due(a.store.Now()) {
				continue
			}
			facts, err := tx.AlertFacts(d)
			if err != nil {
				return err
			}
			m := &mail.Alert{Delivery: d, Facts: facts, Console: a.console, Now: a.store.Now()}
			if d.Mail.Due(a.store.Now()) {
				mails = append(mails, m)
			}
			if d.Webhook.Due(a.store.Now()) {
				notices = append(notices, m)
			}
		}
		return nil
	})
	slices.SortStableFunc(mails, func(x, y *mail.Alert) int {
		return cmp.Compare(x.Delivery.Mail.Attempts, y.Delivery.Mail.Attempts)
	})
	slices.SortStableFunc(notices, func(x, y *mail.Alert) int {
		return cmp.Compare(x.Delivery.Webhook.Attempts, y.Delivery.Webhook.Attempts)
	})
	return mails, notices, err
}

// nextWakeUp returns the earlier of planned and the time of the next attempt to
// send a pending message.
func (a *alertSender) nextWakeUp(planned time.Time) (next time.Time, err error) {
	next = planned
	err = a.store.View(func(tx *store.Tx) error {
		open, err := tx.OpenDeliveries()
		for _, d := range open {
			for _, c := range []outbox.Channel{d.Mail, d.Webhook} {
				if c.State == outbox.Pending && (next.IsZero() || c.Next.Before(next)) {
					next = c.Next
				}
			}
		}
		return err
	})
	return next, err
}

// sendMails sends messages over one connection to the relay.
func (a *alertSender) sendMails(ctx context.Context, settings auth.AlertSettings, alerts []*mail.Alert) (outcomes []store.DeliveryOutcome) {
	if len(alerts) == 0 {
		return nil
	}
	var messages []mail.Message
	var sent []*mail.Alert // alerts for which a mail could be composed
	for _, m := range alerts {
		message, err := m.Mail()
		if err != nil {
			outcomes = append(outcomes, a.outcome(m, nil, nil, err))
			continue
		}
		a.addressMail(&message, settings, m.Delivery)
		if len(message.To) == 0 { // the recipients that refused it were removed from the settings
			outcomes = append(outcomes, a.outcome(m, nil, nil, nil))
			continue
		}
		messages, sent = append(messages, message), append(sent, m)
	}
	if len(messages) == 0 {
		return outcomes
	}
	results, err := a.channels.Relay(settings).Send(ctx, messages)
	for i, r := range results {
		outcomes = append(outcomes, a.mailOutcome(sent[i], &messages[i], r))
	}
	if err == nil || ctx.Err() != nil { // the server is stopping; it tries again after its next start
		return outcomes
	}
	failed := sent[len(results):]
	if !isConnectionError(err) {
		failed = failed[:1] // the others have not been tried; the next step tries them
	}
	for i, m := range failed {
		outcomes = append(outcomes, a.outcome(m, nil, addresses(messages[len(results)+i].To), err))
	}
	return outcomes
}

// isConnectionError reports whether an error prevents sending any message to
// the relay now.
func isConnectionError(err error) bool {
	failure, ok := errors.AsType[*mail.Error](err)
	return !ok || slices.Contains([]string{mail.StepName, mail.StepConnect, mail.StepTLS, mail.StepLogin}, failure.Step)
}

// addressMail sets the sender, the ids and the recipients of a mail. It leaves
// out recipients for which the relay has already accepted the mail.
func (a *alertSender) addressMail(m *mail.Message, settings auth.AlertSettings, d *alert.Delivery) {
	m.From, m.To = a.channels.Envelope(settings)
	m.To = slices.DeleteFunc(m.To, func(to netmail.Address) bool { return slices.Contains(d.Mail.Accepted, to.Address) })
	m.ID, m.ListID = a.messageID(d.Sequence), a.channels.ListID()
	if d.Thread != 0 {
		m.References = []string{a.messageID(d.Thread)}
	}
}

// messageID returns the message id for a delivery. All attempts have the same
// message id.
func (a *alertSender) messageID(sequence uint64) string {
	return a.channels.MessageID(fmt.Sprintf("alert-%d.%s", sequence, strings.ReplaceAll(a.store.ID(), "-", "")))
}

func addresses(list []netmail.Address) (texts []string) {
	for _, a := range list {
		texts = append(texts, a.Address)
	}
	return texts
}

// mailOutcome returns the outcome of a mail from the answers of the relay.
func (a *alertSender) mailOutcome(m *mail.Alert, message *mail.Message, r mail.Result) store.DeliveryOutcome {
	if r.Err != nil {
		return a.outcome(m, nil, addresses(message.To), r.Err)
	}
	var refused, replies []string
	permanent := true
	for _, refusal := range r.Refused {
		refused = append(refused, refusal.Address)
		replies = append(replies, refusal.Err.Error())
		permanent = permanent && refusal.Err.Permanent
	}
	accepted := slices.DeleteFunc(addresses(message.To), func(to string) bool { return slices.Contains(refused, to) })
	if len(refused) == 0 {
		return a.outcome(m, accepted, nil, nil)
	}
	slices.Sort(replies)
	return a.outcome(m, accepted, refused, &mail.Error{
		Step: mail.StepRecipient, Permanent: permanent, Cause: errors.New(strings.Join(slices.Compact(replies), "; ")),
	})
}

// outcome returns the outcome of an attempt by mail, and writes it to the log of
// the server.
func (a *alertSender) outcome(m *mail.Alert, accepted, refused []string, err error) store.DeliveryOutcome {
	o := store.DeliveryOutcome{Sequence: m.Delivery.Sequence, Outcome: outbox.Outcome{At: a.store.Now(), Accepted: accepted, Refused: refused}}
	if err == nil {
		a.log.Info("alert sent", "subject", m.Delivery.Subject, "recipients", len(accepted))
		return o
	}
	o.Failure, o.Permanent = err.Error(), isPermanent(err)
	a.log.Warn("alert could not be sent", "subject", m.Delivery.Subject, "attempt", m.Delivery.Mail.Attempts+1, "error", err)
	return o
}

// isPermanent reports whether trying again would not help.
func isPermanent(err error) bool {
	if failure, ok := errors.AsType[*mail.Error](err); ok {
		return failure.Permanent
	}
	if failure, ok := errors.AsType[*webhook.Error](err); ok {
		return failure.Permanent
	}
	return true // the message cannot be written
}

// sendToWebhook sends messages to the webhook.
func (a *alertSender) sendToWebhook(ctx context.Context, settings auth.AlertSettings, alerts []*mail.Alert) (outcomes []store.DeliveryOutcome) {
	for _, m := range alerts {
		notice, err := a.newNotice(m)
		if err == nil {
			_, err = a.webhook(settings).Post(ctx, notice.ID, notice)
		}
		if err != nil && ctx.Err() != nil {
			return outcomes // the server is stopping; it tries again after its next start
		}
		o := store.DeliveryOutcome{Sequence: m.Delivery.Sequence, Webhook: true, Outcome: outbox.Outcome{At: a.store.Now()}}
		if err != nil {
			o.Failure, o.Permanent = err.Error(), isPermanent(err)
			if failure, ok := errors.AsType[*webhook.Error](err); ok && failure.Gone {
				o.Gone = !settings.Enforced
				if o.Gone {
					o.Failure += ". It wants no more messages, and was removed from the settings"
				} else {
					o.Failure += ". It wants no more messages: remove ALERT_WEBHOOK_URL from the configuration"
				}
			}
			a.log.Warn("alert could not be sent to the webhook", "subject", m.Delivery.Subject, "attempt", m.Delivery.Webhook.Attempts+1, "error", err)
		} else {
			a.log.Info("alert sent to the webhook", "subject", m.Delivery.Subject)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// newNotice returns a message in the form that is sent to the webhook.
func (a *alertSender) newNotice(m *mail.Alert) (webhook.Notice, error) {
	d := m.Delivery
	text, err := m.Text()
	n := webhook.Notice{
		ID: fmt.Sprintf("%s-%d", a.store.ID(), d.Sequence), Type: d.Type(), Severity: d.Severity(), Time: d.At, Subject: d.Subject, URL: m.URL(), Text: text,
	}
	if len(d.Items) == 1 {
		t := d.Items[0].Thing
		n.Resource = &webhook.Resource{Type: string(t.Type), ID: t.ID, Name: t.Name}
	}
	return n, err
}
