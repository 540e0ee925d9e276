package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A name that is nearly one of our variables, or begins like one, causes a
// notice. Names that other programs set in the environment do not.
func TestUnknownVariables(t *testing.T) {
	for name, want := range map[string]string{
		"PROT":                     "did you mean PORT?",
		"PORTT":                    "did you mean PORT?",
		"port":                     "did you mean PORT?",
		"LISTN":                    "did you mean LISTEN?",
		"LOGLEVEL":                 "did you mean LOG_LEVEL?",
		"TRUSTED_PROXY":            "",
		"TRUSTED_PROXIS":           "did you mean TRUSTED_PROXIES?",
		"ADMIN_PASWORD":            "did you mean ADMIN_PASSWORD?",
		"HOST_HEARTBEAT_INTERVALL": "did you mean HOST_HEARTBEAT_INTERVAL?",
		"TRENTO_DATADIR":           "did you mean TRENTO_DATA_DIR?",
		"TRENTO_LICENSE":           "is ignored",
		"SMTP_TLS":                 "is ignored",
		"OIDC_SCOPES":              "is ignored",
		"TLS_ACME_KEY":             "is ignored",
		"TLS_CERTFILE":             "did you mean TLS_CERT_FILE?",

		"PATH": "", "HOME": "", "HOSTNAME": "", "LANG": "", "TERM": "", "USER": "", "SHLVL": "", "PWD": "", "TZ": "", "GOMEMLIMIT": "", "GOMAXPROCS": "",
		"INVOCATION_ID": "", "JOURNAL_STREAM": "", "NOTIFY_SOCKET": "", "LISTEN_FDS": "", "LISTEN_PID": "", "STATE_DIRECTORY": "", "WATCHDOG_USEC": "", "SESSION_MANAGER": "",
		"KUBERNETES_SERVICE_HOST": "", "KUBERNETES_PORT_443_TCP_ADDR": "", "TRENTO_WEB_SERVICE_HOST": "", "TRENTO_WEB_PORT": "", "TRENTO_WEB_SERVICE_PORT_HTTP": "",
		"TRENTO_WEB_PORT_4000_TCP": "", "TRENTO_WEB_PORT_4000_TCP_PROTO": "", "ENABLE_SOMETHING": "", "LC_ALL": "", "HTTP_PROXY": "", "SSL_CERT_FILE": "", "SSL_CERT_DIR": "", "SSH_AUTH_SOCK": "", "XDG_SESSION_ID": "",
	} {
		for origin, load := range map[string]func() ([]Notice, error){
			"environment": func() ([]Notice, error) { _, n, err := load(t, "", name+"=1"); return n, err },
			"file":        func() ([]Notice, error) { _, n, err := load(t, name+"=1\n"); return n, err },
		} {
			notices, err := load()
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case want == "" && len(notices) > 0:
				t.Errorf("%s in the %s: %q", name, origin, notices)
			case want != "" && (len(notices) != 1 || !strings.HasPrefix(notices[0].Text, name+" ") || !strings.Contains(notices[0].Text, want)):
				t.Errorf("%s in the %s: %q, want %q", name, origin, notices, want)
			}
		}
	}
	if _, notices, _ := load(t, "", "PROT=", "TRENTO_X\nY=\x1b[31m"); len(notices) != 1 || strings.Contains(notices[0].Text, "\n") {
		t.Errorf("an empty value, a name of two lines: %q", notices)
	}
}

func TestSlips(t *testing.T) {
	got := map[string]int{}
	want := map[string]int{"": 4, "PORT": 0, "PROT": 1, "PRT": 1, "PPORT": 1, "PORK": 1, "SORTS": 2, "TROP": 3, "HOST": 2}
	for name := range want {
		got[name] = countTypos(name, "PORT")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("slips (-want +got):\n%s", diff)
	}
}
