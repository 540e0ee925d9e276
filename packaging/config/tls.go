package config

import (
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"regexp"
	"strings"
)

// TLS reports whether the server has a certificate.
func (c Config) TLS() bool { return c.TLSCertFile != "" || c.TLSSelfSigned || c.TLSACMEDomain != "" }

// MessagePorts reports which ports the message endpoint opens.
func (c Config) MessagePorts() (plain, withTLS bool) {
	endpoint := c.EnableAMQP && c.AMQPURL == ""
	return endpoint && (c.EnablePlainAMQP || !c.TLS()), endpoint && c.TLS()
}

// checkTLS checks that the variables about TLS do not contradict each other.
func (l *loader) checkTLS() {
	c := l.config
	var sources []string
	if c.TLSCertFile != "" || c.TLSKeyFile != "" {
		sources = append(sources, "TLS_CERT_FILE and TLS_KEY_FILE")
	}
	if c.TLSSelfSigned {
		sources = append(sources, "TLS_SELF_SIGNED")
	}
	if c.TLSACMEDomain != "" {
		sources = append(sources, "TLS_ACME_DOMAIN")
	}
	switch {
	case len(sources) > 1:
		l.errs = append(l.errs, fmt.Errorf("the server can have only one certificate, but these are set: %s", strings.Join(sources, ", ")))
	case (c.TLSCertFile == "") != (c.TLSKeyFile == ""):
		l.errs = append(l.errs, errors.New("TLS_CERT_FILE and TLS_KEY_FILE need each other: set both, to the same file if it has both"))
	}
	if c.TLSACMEDomain == "" {
		l.refuseWithout("TLS_ACME_DOMAIN", "TLS_ACME_EMAIL", "TLS_ACME_CA_FILE")
	} else if redirect := c.HTTPRedirectPort; c.Port != 443 && (redirect == nil || *redirect != 80) {
		l.addNotice("Set PORT=443 or HTTP_REDIRECT_PORT=80, unless a router or firewall forwards one of these ports.", "TLS_ACME_DOMAIN: neither is PORT 443 nor HTTP_REDIRECT_PORT 80, so one of these ports has to be forwarded to this server")
	}
	const certificate = "a certificate (TLS_CERT_FILE, TLS_SELF_SIGNED or TLS_ACME_DOMAIN)"
	if !c.TLS() {
		l.refuseWithout(certificate, "HTTP_REDIRECT_PORT")
		if c.HSTSMaxAge > 0 && len(c.TrustedProxies) == 0 {
			l.errs = append(l.errs, fmt.Errorf("HSTS_MAX_AGE has no effect without %s or a proxy with TLS in TRUSTED_PROXIES", certificate))
		}
		if !c.EnablePlainAMQP && c.EnableAMQP && c.AMQPURL == "" {
			l.errs = append(l.errs, fmt.Errorf("ENABLE_PLAIN_AMQP=false leaves agents no way to connect for messages without %s", certificate))
		}
		return
	}
	l.checkPorts()
}

// refuseWithout adds an error for each variable that is set without another one
// that it needs.
func (l *loader) refuseWithout(needed string, names ...string) {
	for _, name := range names {
		if l.values[name] != "" {
			l.errs = append(l.errs, fmt.Errorf("%s has no effect without %s", name, needed))
		}
	}
}

// checkPorts checks that no port is given for two purposes.
func (l *loader) checkPorts() {
	c := l.config
	purposes := map[int]string{}
	use := func(name string, port int) {
		if other, taken := purposes[port]; taken && port != 0 {
			l.errs = append(l.errs, fmt.Errorf("%s and %s are both %d", other, name, port))
		}
		purposes[port] = name
	}
	use("PORT", c.Port)
	if c.HTTPRedirectPort != nil {
		use("HTTP_REDIRECT_PORT", *c.HTTPRedirectPort)
	}
	plain, withTLS := c.MessagePorts()
	if plain {
		use("AMQP_PORT", c.AMQPPort)
	}
	if withTLS {
		use("AMQPS_PORT", c.AMQPSPort)
	}
}

var domainPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// isDomain reports whether a text is a full host name for which an authority can
// issue certificates.
func isDomain(text string) bool {
	_, err := netip.ParseAddr(text)
	return err != nil && len(text) <= 253 && domainPattern.MatchString(text)
}

func isEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}
