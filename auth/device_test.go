package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trento/store"
	"trento/store/activity"
)

// signInFrom signs a user in with a password from a browser, and returns how
// long it took.
func (f fixture) signInFrom(b *browser, username, password string) (time.Duration, error) {
	f.t.Helper()
	w, r := httptest.NewRecorder(), get("/session")
	r.RemoteAddr = b.address
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	start := time.Now()
	err := f.SignInWithPassword(w, r, username, password)
	for _, c := range w.Result().Cookies() {
		b.cookies = append(slices.DeleteFunc(b.cookies, func(old *http.Cookie) bool { return old.Name == c.Name }), c)
	}
	return time.Since(start), err
}

// browser is a browser with an address and cookies.
type browser struct {
	address string
	cookies []*http.Cookie
}

func (b *browser) cookie(name string) *http.Cookie {
	for _, c := range b.cookies {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// changePassword gives a user another password, which is cheap to check.
func (f fixture) changePassword(u *store.User) {
	f.t.Helper()
	hash, err := f.HashPassword(f.t.Context(), "another-8-word")
	if err == nil {
		_, err = f.store.ChangeProfile(f.t.Context(), store.Actor{Name: u.Username}, u.ID, store.ProfileChange{Password: &store.NewPassword{Hash: hash, Before: cheapHash}}, [32]byte{})
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// Behind a proxy that is not trusted, all clients have one address. An attacker
// who floods the sign-in of a user from that address cannot keep out the
// browser in which the user has signed in before. Attempts that were refused
// unchecked are one log entry a minute.
func TestKnownDevicePassesAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Now = time.Now })
		f.user("ann")
		const proxy = "10.0.0.1:1234"
		known, other := &browser{address: proxy}, &browser{address: proxy}
		if took, err := f.signInFrom(known, "ann", cheapPassword); err != nil || took != 0 {
			t.Fatalf("the first sign-in took %v: %v", took, err)
		}
		for range 11 {
			if _, err := f.signInFrom(other, "ann", "wrong"); !errors.Is(err, ErrCredentials) {
				t.Fatal(err)
			}
		}
		before := f.newest()
		for range 50 {
			go f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: "wrong"}, netip.MustParseAddr("10.0.0.1"))
		}
		synctest.Wait()
		if f.newest() != before {
			t.Error("attempts that nobody has looked at are entries of the log")
		}
		if took, err := f.signInFrom(known, "ann", cheapPassword); err != nil || took != 0 {
			t.Errorf("in the flood, the known device took %v: %v", took, err)
		}
		if err := f.LogRefusedSignIns(t.Context()); err != nil {
			t.Fatal(err)
		}
		entry, metadata := f.entry(), `"refused":47`
		if entry.Type != activity.TypeLoginAttempt || entry.Actor != activity.System || entry.Severity != activity.Warning || !strings.Contains(string(entry.Metadata), metadata) ||
			!strings.Contains(string(entry.Metadata), `"usernames":["ann"]`) || !strings.Contains(string(entry.Metadata), `"addresses":["10.0.0.1/32"]`) {
			t.Errorf("the summary is %+v %s", entry, entry.Metadata)
		}
		before = f.newest()
		if err := f.LogRefusedSignIns(t.Context()); err != nil || f.newest() != before {
			t.Errorf("a minute without crowding is in the log: %v", err)
		}
		time.Sleep(time.Minute)
		// A sign-in from an unknown browser waits, and then succeeds.
		if took, err := f.signInFrom(other, "ann", cheapPassword); err != nil || took > passwordRule().longestWait() {
			t.Errorf("after the flood, an unknown device took %v: %v", took, err)
		}
	})
}

// The cookie of a device is no password: guesses with a stolen cookie are
// slowed down.
func TestKnownDeviceIsSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Now = time.Now })
		f.user("ann")
		b := &browser{address: "192.0.2.1:1"}
		if _, err := f.signInFrom(b, "ann", cheapPassword); err != nil {
			t.Fatal(err)
		}
		for i, want := range []time.Duration{0, 0, 0, 1, 2, 4, 8, 8} {
			b.address = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 1).String()
			if took, err := f.signInFrom(b, "ann", "wrong"); took != want*time.Second || !errors.Is(err, ErrCredentials) {
				t.Errorf("guess %d took %v: %v; want %d s", i+1, took, err, want)
			}
		}
	})
}

func TestDeviceCookie(t *testing.T) {
	f := newFixture(t)
	ann, bob := f.user("ann"), f.user("bob")
	b := &browser{address: "192.0.2.1:1"}
	device := func(username string) deviceID {
		r := get("/session")
		for _, c := range b.cookies {
			r.AddCookie(c)
		}
		id, err := f.deviceOf(r, username)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if device("ann").isKnown() {
		t.Error("a device is known before anybody has signed in")
	}
	for _, u := range []*store.User{ann, bob} {
		if _, err := f.signInFrom(b, u.Username, cheapPassword); err != nil {
			t.Fatal(err)
		}
	}
	c := b.cookie(deviceCookie)
	if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/session" || c.MaxAge < 300*24*60*60 || c.Secure {
		t.Errorf("cookie is %v", c)
	}
	ofAnn := device("ann")
	if !ofAnn.isKnown() || !device(" Bob ").isKnown() || ofAnn == device("bob") || device("nobody").isKnown() || device("").isKnown() {
		t.Error("the cookie does not tell its accounts from others")
	}
	if _, err := f.signInFrom(b, "ann", cheapPassword); err != nil || device("ann") != ofAnn {
		t.Errorf("a second sign-in makes another device of the browser: %v", err)
	}
	r := get("/")
	r.AddCookie(b.cookie(deviceCookie))
	if f.identify(r) != nil {
		t.Error("the cookie signs somebody in")
	}
	forged := *b.cookie(deviceCookie)
	forged.Value = forged.Value[:len(forged.Value)-4] + "AAAA"
	foreign := &browser{cookies: []*http.Cookie{&forged}}
	r = get("/session")
	r.AddCookie(foreign.cookies[0])
	if id, _ := f.deviceOf(r, "ann"); id.isKnown() {
		t.Error("a forged cookie makes a device known")
	}
	f.changePassword(ann)
	if device("ann").isKnown() || !device("bob").isKnown() {
		t.Error("a changed password is not what the cookie ends with")
	}
	f.clock.now = f.clock.now.Add(deviceLifetime)
	if device("bob").isKnown() {
		t.Error("the device is known for ever")
	}
}

// The cookie of a browser that many people use lists only the last few of them,
// so it stays small.
func TestDeviceCookieIsBounded(t *testing.T) {
	f := newFixture(t)
	b := &browser{address: "192.0.2.1:1"}
	for _, name := range []string{"u1", "u2", "u3", "u4", "u5", "u6"} {
		f.user(name)
		if _, err := f.signInFrom(b, name, cheapPassword); err != nil {
			t.Fatal(err)
		}
	}
	r := get("/session")
	r.AddCookie(b.cookie(deviceCookie))
	first, _ := f.deviceOf(r, "u1")
	last, _ := f.deviceOf(r, "u6")
	if size := len(b.cookie(deviceCookie).Value); size > 2000 || first.isKnown() || !last.isKnown() {
		t.Errorf("the cookie has %d bytes; the first is known: %v, the last: %v", size, first.isKnown(), last.isKnown())
	}
}

// An untrusted address that forwards requests is logged only once.
func TestUntrustedProxyIsTold(t *testing.T) {
	var log strings.Builder
	f := newFixture(t, func(o *Options) {
		o.Log = newTextLog(&log)
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}
	})
	handler := f.Identify(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	send := func(peer, header, value string) {
		r := get("/")
		r.RemoteAddr = peer
		if header != "" {
			r.Header.Set(header, value)
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	send("10.0.0.1:1", "X-Forwarded-For", "192.0.2.1") // trusted
	send("10.0.0.2:1", "", "")                         // no proxy
	if len(f.UntrustedProxies()) > 0 || log.Len() > 0 {
		t.Errorf("told of %v: %s", f.UntrustedProxies(), &log)
	}
	for range 3 {
		send("10.0.0.3:1", "X-Forwarded-For", "192.0.2.1")
	}
	send("10.0.0.4:1", "Forwarded", "for=192.0.2.1")
	if want := []netip.Addr{netip.MustParseAddr("10.0.0.3"), netip.MustParseAddr("10.0.0.4")}; !slices.Equal(f.UntrustedProxies(), want) {
		t.Errorf("told of %v, want %v", f.UntrustedProxies(), want)
	}
	if n := strings.Count(log.String(), "TRUSTED_PROXIES=10.0.0.3"); n != 1 {
		t.Errorf("the log says so %d times: %s", n, &log)
	}
	for i := range 100 {
		send(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 1).String(), "X-Forwarded-For", "x")
	}
	if got := len(f.UntrustedProxies()); got != maxUntrustedProxies || strings.Count(log.String(), "\n") != maxUntrustedProxies {
		t.Errorf("%d addresses, log: %s", got, &log)
	}
}
