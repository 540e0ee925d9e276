package config

import (
	"maps"
	"strings"
	"testing"
)

// TestForwarding checks the variables about forwarding the activity log.
func TestForwarding(t *testing.T) {
	for name, test := range map[string]struct {
		environ      []string
		syslog, otlp string
		fault        string
	}{
		"nothing":            {},
		"usual ports":        {environ: []string{"FORWARD_SYSLOG_URL=tls://syslog", "FORWARD_OTLP_URL=https://logs"}, syslog: "tls://syslog:6514", otlp: "https://logs/v1/logs"},
		"own ports":          {environ: []string{"FORWARD_SYSLOG_URL=tcp://[2001:db8::1]:1514/", "FORWARD_OTLP_URL=http://logs:4318/otlp"}, syslog: "tcp://[2001:db8::1]:1514", otlp: "http://logs:4318/otlp"},
		"no scheme":          {environ: []string{"FORWARD_SYSLOG_URL=syslog:6514"}, fault: "FORWARD_SYSLOG_URL"},
		"udp":                {environ: []string{"FORWARD_SYSLOG_URL=udp://syslog:514"}, fault: "FORWARD_SYSLOG_URL"},
		"port":               {environ: []string{"FORWARD_SYSLOG_URL=tls://syslog:70000"}, fault: "FORWARD_SYSLOG_URL"},
		"path":               {environ: []string{"FORWARD_SYSLOG_URL=tls://syslog:6514/log"}, fault: "FORWARD_SYSLOG_URL"},
		"facility":           {environ: []string{"FORWARD_SYSLOG_URL=tls://syslog", "FORWARD_SYSLOG_FACILITY=local8"}, fault: "FORWARD_SYSLOG_FACILITY"},
		"certificate alone":  {environ: []string{"FORWARD_SYSLOG_URL=tls://syslog", "FORWARD_SYSLOG_CERT_FILE=/c.pem"}, fault: "need each other"},
		"authority alone":    {environ: []string{"FORWARD_SYSLOG_CA_FILE=/ca.pem"}, fault: "FORWARD_SYSLOG_CA_FILE has no effect"},
		"password in URL":    {environ: []string{"FORWARD_OTLP_URL=https://user:geheim@logs"}, fault: "FORWARD_OTLP_URL"},
		"header":             {environ: []string{"FORWARD_OTLP_URL=https://logs", "FORWARD_OTLP_HEADERS=geheim"}, fault: "FORWARD_OTLP_HEADERS: want"},
		"header with breaks": {environ: []string{"FORWARD_OTLP_URL=https://logs", "FORWARD_OTLP_HEADERS=a=geheim%0d%0ab"}, fault: "FORWARD_OTLP_HEADERS: want"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, err := load(t, "", test.environ...)
			if test.fault != "" {
				if err == nil || !strings.Contains(err.Error(), test.fault) || strings.Contains(err.Error(), "geheim") {
					t.Errorf("fault %v, want %s", err, test.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			otlp, _ := c.OTLPReceiver()
			for _, got := range []struct {
				url  interface{ String() string }
				none bool
				want string
			}{{c.SyslogServer(), c.SyslogServer() == nil, test.syslog}, {otlp, otlp == nil, test.otlp}} {
				if got.none != (got.want == "") || !got.none && got.url.String() != got.want {
					t.Errorf("%v, want %s", got.url, got.want)
				}
			}
		})
	}
	headers, err := parseHeaders(" Authorization = Bearer%20a%2Cb ,X-Scope=1,")
	if want := map[string]string{"Authorization": "Bearer a,b", "X-Scope": "1"}; err != nil || !maps.Equal(headers, want) {
		t.Errorf("headers %q, %v", headers, err)
	}
}
