package doctor

import (
	"fmt"
	"strings"
)

func examineMessages(s *State, l *areaFindings) {
	m := s.Messages
	switch {
	case m == nil:
		l.skip("the server is stopped")
	case m.Off:
		l.warn("Agents cannot connect for messages: ENABLE_AMQP is not true.", "An agent that finds no message endpoint ends at its start.", s.thenRestart("ENABLE_AMQP=true."))
	case m.Fault != "":
		l.addUrgent("The broker of AMQP_URL cannot be used: "+m.Fault+".", "Agents get no messages, and those that cannot connect end at their start.", s.thenRestart("Correct AMQP_URL, or remove it, and agents connect to this server."))
	case m.Elsewhere:
	case m.Reporting > 0 && m.Connected == 0:
		l.warn(fmt.Sprintf("%s, and none of them is connected for messages.", countText(m.Reporting, "agent reports", "agents report")), "They cannot be asked to report now, and end at their next start if the endpoint cannot be reached.",
			"On a host: grep facts-service-url /etc/trento/agent.yaml; its address is on the page Connect an agent").Page = "/agents"
	}
}

// maxShownNames is how many names a finding lists.
const maxShownNames = 5

func examineAgents(s *State, l *areaFindings) {
	a := s.Agents
	if a == nil {
		l.skip("the server is stopped")
		return
	}
	if a.KeyOff {
		l.warn("Everybody can report as an agent: ENABLE_API_KEY is not true.", "Whoever reaches this server can invent hosts and change what is shown of yours.", s.thenRestart("ENABLE_API_KEY=true."))
	}
	if n := len(a.Lost); n > 0 {
		what := fmt.Sprintf("%d of %s: no heartbeats come from %s.", n, countText(a.Hosts, "agent", "agents"), shorten(a.Lost))
		l.warn(what, "What is shown of these hosts is out of date.", "On the host: systemctl status trento-agent; journalctl -u trento-agent").Page = "/agents"
	}
	if n := len(a.Faulty); n > 0 {
		l.warn(fmt.Sprintf("Reports of %s cannot be used in full: %s.", countText(n, "host", "hosts"), shorten(a.Faulty)), "Parts of what is shown of them are missing or out of date.",
			"trento-web get agents HOST shows which parts").Page = "/agents"
	}
	for _, r := range a.Refused {
		l.warn(fmt.Sprintf("An agent at %s was refused for its %s: %s.", r.Address, r.Of, r.Reason), "Nothing of it is shown, or it gets no messages.",
			"trento-web get agents shows all; the right key and address are on the page Connect an agent").Page = "/agents"
	}
}

func examineAlerts(s *State, l *areaFindings) {
	const (
		why  = "Nobody is told when a host or an SAP system fails."
		page = "/settings/alerting"
	)
	a := s.Alerts
	switch {
	case a == nil:
		l.skip("the server is stopped")
		return
	case !a.On:
		l.skipReason = notApplicable
		return
	case a.SecretsLost:
		l.addUrgent("The stored passwords of alerting cannot be decrypted.", why+" SECRET_KEY_BASE was changed.", "Settings, Alerting, type them again; or put the former SECRET_KEY_BASE back").Page = page
		return
	case !a.Asked:
		l.skip("the mail relay was not asked yet")
		return
	}
	switch {
	case a.RelayFault != "":
		l.addUrgent(fmt.Sprintf("The mail relay %s cannot be used: %s.", a.Relay, a.RelayFault), why, "Settings, Alerting, Send Test Message shows more; or SMTP_SERVER, SMTP_PORT, SMTP_USER and SMTP_PASSWORD").Page = page
	case a.Relay != "" && !a.Encrypted:
		l.warn(fmt.Sprintf("Alerts go to the mail relay %s without encryption.", a.Relay), "Others on the network can read them.", "Let the relay offer STARTTLS, or use its port 465").Page = page
	}
	if a.WebhookFault != "" {
		l.addUrgent(fmt.Sprintf("The webhook at %s cannot be reached: %s.", a.Webhook, a.WebhookFault), why, "getent hosts "+a.Webhook).Page = page
	}
}

// shorten lists the first names, and says how many follow.
func shorten(names []string) string {
	if len(names) <= maxShownNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxShownNames], ", "), len(names)-maxShownNames)
}

func examineAdmin(s *State, l *areaFindings) {
	a := s.Admin
	if a == nil {
		l.skip("the data file cannot be read")
		return
	}
	switch {
	case a.PasswordFile != "":
		l.warn(fmt.Sprintf("The generated password of %s is still in the file %s.", a.Name, a.PasswordFile), "Whoever gets a copy of the data directory can do everything. The file is deleted when "+a.Name+" signs in.",
			"Sign in with it once and change it, or: trento-web admin reset-password").Page = "/profile"
	case a.NeverChanged:
		l.warn(fmt.Sprintf("The password of %s is still the one it was created with.", a.Name), "It was in a file or a configuration, and others may know it.", "Sign in as "+a.Name+", Profile, Change Password").Page = "/profile"
	}
	if a.Alone {
		l.warn(fmt.Sprintf("Nobody but %s manages users.", a.Name), a.Name+" is for emergencies: it cannot have a second factor, and the log does not tell who used it.",
			"Users, New User, with the permission all:users").Page = "/users/new"
	}
}

func examineAPIKey(s *State, l *areaFindings) {
	k := s.APIKey
	const (
		why  = "Agents with a key that has ended are refused, and all hosts count as lost."
		page = "/settings/api_key"
	)
	switch {
	case k == nil:
		l.skip("the data file cannot be read")
	case !k.Ends || !k.Soon:
	case k.DaysLeft < 0:
		l.addUrgent("The API key of the agents has expired.", why, "Settings, API Key, Generate, and put the new key into /etc/trento/agent.yaml of all hosts").Page = page
	case k.DaysLeft == 0:
		l.addUrgent("The API key of the agents expires today.", why, "Settings, API Key, Generate, and put the new key into /etc/trento/agent.yaml of all hosts").Page = page
	default:
		l.warn(fmt.Sprintf("The API key of the agents expires in %s.", countText(k.DaysLeft, "day", "days")), why, "Settings, API Key, Generate, and put the new key into /etc/trento/agent.yaml of all hosts").Page = page
	}
}
