package auth

import (
	"net/http"
	"testing"
	"time"

	"trento/store"
)

// A session ends when nobody has done anything in it for a while, even if an
// open page keeps updating itself.
func TestIdleSessions(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		idle   time.Duration
		header http.Header // of what happens once a minute
		stays  bool
	}{
		"acts":            {15 * time.Minute, nil, true},
		"an open page":    {15 * time.Minute, http.Header{UnattendedHeader: {"true"}}, false},
		"an open stream":  {15 * time.Minute, http.Header{"Accept": {"text/event-stream"}}, false},
		"off":             {0, http.Header{UnattendedHeader: {"true"}}, true},
		"off, no request": {0, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			var s *store.Store
			f := newFixture(t, func(o *Options) {
				var err error
				if s, err = store.Open(t.TempDir(), store.Options{Now: o.Store.Now, NoSync: true, SessionIdle: row.idle}); err != nil {
					t.Fatal(err)
				}
				o.Store = s
			})
			f.store = s
			t.Cleanup(func() { s.Close() })
			cookie := f.signInConsole(get("/"), f.user("ann"))
			there := func(header http.Header) bool {
				r := withCookie(get("/"), cookie)
				for key, values := range header {
					r.Header[key] = values
				}
				return f.identify(r) != nil
			}
			for range 20 {
				f.clock.now = f.clock.now.Add(time.Minute)
				there(row.header)
			}
			if there(nil) != row.stays {
				t.Fatalf("after 20 minutes: %v", !row.stays)
			}
			if !row.stays || row.idle == 0 {
				return
			}
			f.clock.now = f.clock.now.Add(row.idle - time.Second)
			if !there(nil) {
				t.Error("it has ended before its time")
			}
			f.clock.now = f.clock.now.Add(row.idle + row.idle/20 + time.Second)
			if there(nil) {
				t.Error("it goes on and on")
			}
			if err := f.store.PruneSessions(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}
