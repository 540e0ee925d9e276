package auth

import (
	"errors"
	"net/url"
	"regexp"
	"testing"

	"trento/store"
)

func (f fixture) messageCredential() (c MessageCredential) {
	f.t.Helper()
	if err := f.store.View(func(tx *store.Tx) (err error) { c, err = f.MessageCredential(tx); return err }); err != nil {
		f.t.Fatal(err)
	}
	return c
}

func TestMessageCredential(t *testing.T) {
	f := newFixture(t)
	if f.CheckMessageCredential("trento", "") {
		t.Error("accepted before there is a credential")
	}
	for range 2 { // the second time there is one
		if err := f.EnsureMessageCredential(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	first := f.messageCredential()
	if first.User != "trento" || first.Configured || first.Generation != 1 || !regexp.MustCompile(`^[A-Za-z0-9_-]{32}$`).MatchString(first.Password) {
		t.Errorf("%+v", first)
	}
	for range 2 { // the second time from the cache
		for _, test := range []struct {
			user, password string
			want           bool
		}{
			{"trento", first.Password, true}, {"trento", "", false}, {"", "", false}, {"trento", first.Password + "x", false},
			{"trent", "o" + first.Password, false}, {"Trento", first.Password, false}, {"", "trento" + first.Password, false},
		} {
			if got := f.CheckMessageCredential(test.user, test.password); got != test.want {
				t.Errorf("%q with %q: %v", test.user, test.password, got)
			}
		}
	}
	by := &Identity{User: &store.User{Username: "ann"}}
	if err := f.RotateMessageCredential(t.Context(), by); err != nil {
		t.Fatal(err)
	}
	second := f.messageCredential()
	if second.Password == first.Password || second.Generation != 2 || f.CheckMessageCredential("trento", first.Password) || !f.CheckMessageCredential("trento", second.Password) {
		t.Errorf("after a rotation: %+v", second)
	}
	key := f.apiKeyText()
	if _, err := f.RegenerateAPIKey(t.Context(), by, nil, true); err != nil || f.apiKeyText() == key || f.messageCredential().Generation != 3 {
		t.Errorf("together with the API key: %+v, %v", f.messageCredential(), err)
	}
	if _, err := f.RegenerateAPIKey(t.Context(), by, nil, false); err != nil || f.messageCredential().Generation != 3 {
		t.Errorf("the API key alone: %+v, %v", f.messageCredential(), err)
	}
}

func TestConfiguredMessageCredential(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.MessageUser, o.MessagePassword = "agents", "secret" })
	if err := f.EnsureMessageCredential(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := f.messageCredential(); c != (MessageCredential{User: "agents", Password: "secret", Configured: true}) {
		t.Errorf("%+v", c)
	}
	if !f.CheckMessageCredential("agents", "secret") || f.CheckMessageCredential("trento", "secret") || f.CheckMessageCredential("agents", "") {
		t.Error("checked wrongly")
	}
	by := &Identity{User: &store.User{Username: "ann"}}
	key := f.apiKeyText()
	_, err := f.RegenerateAPIKey(t.Context(), by, nil, true)
	if rotated := f.RotateMessageCredential(t.Context(), by); !errors.Is(rotated, ErrMessageCredentialConfigured) || !errors.Is(err, ErrMessageCredentialConfigured) {
		t.Errorf("rotated: %v, %v", rotated, err)
	}
	if f.apiKeyText() != key {
		t.Error("a refused request has made a key")
	}
}

// With another SECRET_KEY_BASE the stored password cannot be read. The next
// start makes another one, instead of a server that no agent can use.
func TestUnreadableMessageCredential(t *testing.T) {
	f := newFixture(t)
	sealed := store.NewMessageCredential{User: "trento", Password: []byte("encrypted with another key, long enough for a nonce")}
	if err := f.store.EnsureMessageCredential(t.Context(), sealed); err != nil {
		t.Fatal(err)
	}
	if f.CheckMessageCredential("trento", "") {
		t.Error("accepted")
	}
	if err := f.EnsureMessageCredential(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := f.messageCredential(); c.Generation != 2 || !f.CheckMessageCredential("trento", c.Password) {
		t.Errorf("%+v", c)
	}
}

func TestMessageAddress(t *testing.T) {
	for _, test := range []struct{ user, password, host, want string }{
		{"trento", "aB3_-x", "trento.example.com", "amqps://trento:aB3_-x@trento.example.com:5671/"},
		{"trento", "aB3_-x", "10.0.0.5", "amqps://trento:aB3_-x@10.0.0.5:5671/"},
		{"trento", "aB3_-x", "fd00::5", "amqps://trento:aB3_-x@[fd00::5]:5671/"},
		{"a:b@c", "p@ss/w:r?d#1% é", "trento", "amqps://a%3Ab%40c:p%40ss%2Fw%3Ar%3Fd%231%25%20%C3%A9@trento:5671/"},
	} {
		got := MessageCredential{User: test.user, Password: test.password}.Address("amqps", test.host, 5671)
		if got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
		u, err := url.Parse(got)
		if err != nil {
			t.Fatal(err)
		}
		if password, _ := u.User.Password(); u.User.Username() != test.user || password != test.password || u.Hostname() != test.host {
			t.Errorf("%s is read as %q, %q at %q", got, u.User.Username(), password, u.Hostname())
		}
	}
}
