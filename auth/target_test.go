package auth

import (
	"net/url"
	"testing"

	"pgregory.net/rapid"
)

func TestLocalTarget(t *testing.T) {
	for path, want := range map[string]string{
		"":                                   "/",
		"/":                                  "/",
		"/hosts":                             "/hosts",
		"/hosts?health=critical&health=x%2F": "/hosts?health=critical&health=x%2F",
		"/activity_log?search=a%20AND%20b":   "/activity_log?search=a%20AND%20b",
		`/activity_log?search=a\b`:           `/activity_log?search=a\b`,
		"/activity_log?search=//x":           "/activity_log?search=//x",
		"/hosts/1#top":                       "/hosts/1#top",
		"/größe":                             "/größe",
		"hosts":                              "/",
		"?x=1":                               "/",
		"//evil.example.com":                 "/",
		"///evil.example.com":                "/",
		`/\evil.example.com`:                 "/",
		`/\/evil.example.com`:                "/",
		`\/evil.example.com`:                 "/",
		`/hosts\..\\evil.example.com`:        "/",
		"/\t/evil.example.com":               "/",
		"/\n/evil.example.com":               "/",
		"/hosts\r\nSet-Cookie: a=b":          "/",
		"/hosts?a=\x00":                      "/",
		"/hosts\x7f":                         "/",
		"/hosts\u0085":                       "/",
		" /hosts":                            "/",
		" //evil.example.com":                "/",
		"https://evil.example.com/":          "/",
		"javascript:alert(1)":                "/",
		"data:text/html,x":                   "/",
		"/%zz":                               "/",
		"/session/new":                       "/",
		"/session/new?request_path=/hosts":   "/",
		"/session":                           "/",
		"/sessions":                          "/sessions",
	} {
		if got := LocalTarget(path); got != want {
			t.Errorf("LocalTarget(%q) = %q, want %q", path, got, want)
		}
	}
}

// The result, resolved against the address of this server, is always an address
// of this server.
func TestLocalTargetStaysLocal(t *testing.T) {
	base, err := url.Parse("https://trento.example.com/session/new")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.StringMatching(`[/\\:?#%.@a-z\t\n ]{0,12}`).Draw(t, "path")
		target, err := base.Parse(LocalTarget(path))
		if err != nil || target.Host != base.Host || target.Scheme != base.Scheme {
			t.Fatalf("%q leads to %v, %v", path, target, err)
		}
	})
}
