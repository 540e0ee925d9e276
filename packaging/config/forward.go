package config

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// errWrongForm says that a value is not as the variable wants it.
var errWrongForm = errors.New("wrong form")

// The ports of syslog over TLS (RFC 5425) and over TCP.
var syslogPorts = map[string]string{"tls": "6514", "tcp": "514"}

// facilities are the facilities of RFC 5424 by the names that configuration files
// of syslog use.
var facilities = map[string]int{
	"user": 1, "daemon": 3, "auth": 4, "syslog": 5, "authpriv": 10, "audit": 13,
	"local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23,
}

// parseSyslogURL reads the address of a syslog server: tls or tcp, a host, and
// perhaps a port. An empty text is no address.
func parseSyslogURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || text == "" {
		return nil, err
	}
	port, known := syslogPorts[u.Scheme]
	if !known || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, errWrongForm
	}
	if number, err := strconv.ParseUint(cmp.Or(u.Port(), port), 10, 16); err != nil || number == 0 {
		return nil, errWrongForm
	}
	u.Host, u.Path = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port)), ""
	return u, nil
}

// otlpPath is the path at which receivers take logs.
const otlpPath = "/v1/logs"

// parseOTLPURL reads the address of a receiver. Without a path it is completed
// with the usual one.
func parseOTLPURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || text == "" {
		return nil, err
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
		return nil, errWrongForm
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = otlpPath
	}
	return u, nil
}

// parseHeaders reads headers in the form that OpenTelemetry uses in variables:
// name=value, separated by commas, with special characters as %2C.
func parseHeaders(text string) (map[string]string, error) {
	header := make(map[string]string)
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, found := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || err != nil || !isToken(name) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, errWrongForm
		}
		header[name] = value
	}
	return header, nil
}

// isToken reports whether a text can be the name of a header.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// SyslogServer returns where the activity log is forwarded to by syslog; nil if it
// is not.
func (c Config) SyslogServer() *url.URL {
	u, _ := parseSyslogURL(c.ForwardSyslogURL) // Load has checked it
	return u
}

// SyslogFacility returns the number of the facility of RFC 5424.
func (c Config) SyslogFacility() int { return facilities[c.ForwardSyslogFacility] }

// OTLPReceiver returns where the activity log is forwarded to as OpenTelemetry
// logs, and the headers to send; nil if it is not.
func (c Config) OTLPReceiver() (*url.URL, map[string]string) {
	u, _ := parseOTLPURL(c.ForwardOTLPURL) // Load has checked both
	header, _ := parseHeaders(string(c.ForwardOTLPHeaders))
	return u, header
}

// checkForwarding checks the variables about forwarding the activity log.
func (l *loader) checkForwarding() {
	c := l.config
	syslog, err := parseSyslogURL(c.ForwardSyslogURL)
	l.faultyNames["FORWARD_SYSLOG_URL"] = err != nil
	otlp, err := parseOTLPURL(c.ForwardOTLPURL)
	l.faultyNames["FORWARD_OTLP_URL"] = err != nil
	_, err = parseHeaders(string(c.ForwardOTLPHeaders))
	l.faultyNames["FORWARD_OTLP_HEADERS"] = err != nil
	_, known := facilities[c.ForwardSyslogFacility]
	l.faultyNames["FORWARD_SYSLOG_FACILITY"] = !known
	if syslog == nil {
		l.refuseWithout("FORWARD_SYSLOG_URL", "FORWARD_SYSLOG_CA_FILE", "FORWARD_SYSLOG_CERT_FILE", "FORWARD_SYSLOG_KEY_FILE")
	}
	if otlp == nil {
		l.refuseWithout("FORWARD_OTLP_URL", "FORWARD_OTLP_CA_FILE")
	}
	if (c.ForwardSyslogCertFile == "") != (c.ForwardSyslogKeyFile == "") {
		l.errs = append(l.errs, errors.New("FORWARD_SYSLOG_CERT_FILE and FORWARD_SYSLOG_KEY_FILE need each other: set both"))
	}
	if syslog != nil && syslog.Scheme == "tcp" {
		l.addNotice("Use tls:// in FORWARD_SYSLOG_URL.", "the activity log is forwarded without TLS: everybody on the way to the syslog server can read and change it")
	}
}
