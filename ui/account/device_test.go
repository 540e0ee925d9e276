package account

import (
	"strings"
	"testing"
)

func TestDevice(t *testing.T) {
	for userAgent, want := range map[string]string{
		"": "Unknown device",
		"Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0":                                                                  "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36":                         "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                   "Safari on macOS",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36":                            "Chrome on Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"curl/8.14.1":                  "curl/8.14.1",
		"Python-urllib/3.11":           "Python-urllib/3.11",
		"python-requests/2.32.3":       "python-requests/2.32.3",
		"Go-http-client/2.0":           "Go-http-client/2.0",
		"backup/1.4 (Linux; x64)":      "backup/1.4",
		"<b>/1 x":                      "Unknown device",
		"Mozilla/5.0":                  "Unknown device",
		strings.Repeat("a", 60) + "/1": "Unknown device",
		"<b>nobody</b>":                "Unknown device",
		"some tool on Linux":           "Linux",
	} {
		if got := deviceName(userAgent); got != want {
			t.Errorf("%q is %q, want %q", userAgent, got, want)
		}
	}
}
