package doctor

import (
	"fmt"
	"strings"
)

func examineCertificate(s *State, l *areaFindings) {
	c := s.Certificate
	switch {
	case c == nil:
		l.skip("the configuration cannot be read")
		return
	case !c.Encrypts():
		l.warn("Connections to this server are not encrypted.", "Others on the network can read passwords, sessions and the key of the agents.",
			s.thenRestart("TLS_CERT_FILE and TLS_KEY_FILE, or TLS_ACME_DOMAIN, or TRUSTED_PROXIES for a reverse proxy with https.")).Page = "/about"
		return
	case c.Fault != "":
		l.addUrgent("The certificate cannot be used: "+c.Fault+".", "The server does not start without it.", c.repairAdvice(s))
		return
	}
	for _, fault := range c.Faults {
		what := sentence("the certificate needs attention: " + fault)
		if c.Refused {
			l.addUrgent(what, "Agents report nothing, and nobody can sign in without a warning.", c.repairAdvice(s)).Page = "/about"
		} else {
			l.warn(what, "Agents and browsers refuse a certificate that has ended.", c.repairAdvice(s)).Page = "/about"
		}
	}
}

// repairAdvice returns what to do about a certificate.
func (c *Certificate) repairAdvice(s *State) string {
	switch c.Source {
	case "TLS_ACME_DOMAIN":
		return "journalctl -u trento-web | grep -i acme; the authority has to reach this server under TLS_ACME_DOMAIN on port 443 or 80"
	case "TLS_SELF_SIGNED":
		return s.thenRestart("TLS_CERT_FILE and TLS_KEY_FILE, with a certificate of your authority for TRENTO_WEB_ORIGIN.")
	}
	return "Put a certificate for the name of this server, and its key, where TLS_CERT_FILE and TLS_KEY_FILE point; a running server takes it within seconds"
}

func examineHostName(s *State, l *areaFindings) {
	h := s.HostName
	switch {
	case h == nil:
		l.skip("the configuration cannot be read")
	case h.Name == "" && h.Needs != "":
		l.warn(fmt.Sprintf("TRENTO_WEB_ORIGIN is not set, and %s needs it.", h.Needs), "Links lead nowhere, and nobody notices a certificate for another name.",
			s.thenRestart("TRENTO_WEB_ORIGIN=trento.example.com, the name that people type."))
	case h.Name == "":
		l.skipReason = notApplicable
	case !h.Tried:
		l.skip("it was not asked yet whether %s is known to the name service", h.Name)
	case h.Fault != "":
		l.warn(fmt.Sprintf("The name in TRENTO_WEB_ORIGIN, %s, is unknown here: %s.", h.Name, h.Fault), "If browsers and identity providers do not know it either, no link to this server works.",
			"getent hosts "+h.Name)
	}
}

func examineClock(s *State, l *areaFindings) {
	c := s.Clock
	const mend = "systemctl enable --now chronyd; timedatectl"
	switch {
	case c == nil || c.Problem != "":
		why := "this was not looked at"
		if c != nil {
			why = c.Problem
		}
		l.skip("%s; timedatectl says whether it is synchronized. The clocks of the agents' machines are not known: their reports carry no time", why)
	case !c.Synchronized:
		l.warn("The clock of this machine is not synchronized.", "Second factors, single sign-on and certificates fail if it is a minute wrong, and the activity log tells wrong times.", mend)
	}
}

func examinePorts(s *State, l *areaFindings) {
	if s.Ports == nil {
		if s.StartedAt == nil {
			l.skip("the configuration cannot be read")
		}
		return // the running server has opened them all
	}
	for _, p := range s.Ports {
		switch {
		case p.InUse:
			l.addUrgent(fmt.Sprintf("Port %d is taken by another program.", p.Number), "The server does not start.",
				fmt.Sprintf("ss -ltnp 'sport = :%d' shows it; stop it, or set %s to another port", p.Number, p.Variable))
		case p.Privileged:
			l.warn(fmt.Sprintf("Port %d may only be opened by root or with CAP_NET_BIND_SERVICE, which this user does not have.", p.Number), "Started by this user, the server would end at once; the service is allowed to open it.",
				fmt.Sprintf("systemctl start trento-web, or set %s to a port above 1023", p.Variable))
		case p.Problem != "":
			l.addUrgent(fmt.Sprintf("Port %d cannot be opened: %s.", p.Number, p.Problem), "The server does not start.", "ip address; then correct LISTEN, AMQP_LISTEN or "+p.Variable)
		}
	}
}

func skipFirewall(_ *State, l *areaFindings) {
	l.skip("this program does not look at it; firewall-cmd --list-all shows whether the service trento-web is let in")
}

func examineOpenFiles(s *State, l *areaFindings) {
	f := s.OpenFiles
	switch {
	case f == nil:
		l.skip("the limit is that of a running server, and it is stopped")
	case f.Affordable < f.Wanted:
		l.warn(fmt.Sprintf("The limit on open files leaves room for %d connections, and the configuration allows %d.", f.Affordable, f.Wanted), "Agents and browsers beyond that are refused.",
			"systemctl edit trento-web, with [Service] LimitNOFILE=65536; or smaller MAX_CONNECTIONS and AMQP_MAX_CONNECTIONS")
	}
}

// leastMemory is the smallest limit that is enough, in bytes.
const leastMemory = 300 << 20

func examineMemory(s *State, l *areaFindings) {
	m := s.Memory
	switch {
	case m == nil:
		l.skip("the server is stopped")
	case m.Limit < leastMemory:
		l.warn(fmt.Sprintf("The server may use %s of memory only.", formatSize(m.Limit)), "With a hundred hosts or more it becomes slow.",
			"systemctl edit trento-web, with [Service] MemoryMax=2G; or GOMEMLIMIT in the configuration")
	}
}

func examineService(s *State, l *areaFindings) {
	v := s.Service
	switch {
	case v == nil:
		l.skip("the server is stopped")
	case !v.Systemd:
		l.skipReason = notApplicable // in a container, or by hand
	case !v.Watchdog:
		l.warn("Systemd does not watch over the server.", "A server that hangs stays as it is until somebody notices.", "systemctl edit trento-web, with [Service] WatchdogSec=60s")
	}
}

func examineProxy(s *State, l *areaFindings) {
	if s.StartedAt == nil {
		l.skipReason = notApplicable
		return
	}
	if len(s.Proxies) > 0 {
		l.warn("Requests are forwarded by a proxy that is not trusted: "+strings.Join(s.Proxies, ", ")+".", "All who come through it count as one address: they slow each other down when they sign in.",
			s.thenRestart("TRUSTED_PROXIES="+strings.Join(s.Proxies, ",")+", if it is your proxy.")).Page = "/about"
	}
}

func examineProvider(s *State, l *areaFindings) {
	p := s.Provider
	switch {
	case p == nil:
		l.skip("the configuration cannot be read")
		return
	case p.Kind == "":
		l.skipReason = notApplicable
		return
	case p.Fault != "":
		l.addUrgent(fmt.Sprintf("Single sign-on with %s cannot be tried: %s.", p.Kind, p.Fault), "Nobody can sign in through it.", "trento-web sso check --config "+configurationFile)
		return
	case !p.Asked:
		l.skip("the provider was not asked yet; trento-web sso check asks it")
		return
	}
	for _, f := range p.Findings {
		if !f.Good {
			l.addUrgent(sentence(f.Text), "People who sign in through the identity provider may be kept out.", f.Cure)
		}
	}
}
