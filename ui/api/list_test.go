package api_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trento/ui/api"
)

// lists are the lists that remember what they have written.
var lists = []string{"/api/v1/hosts", "/api/v2/clusters", "/api/v1/clusters", "/api/v1/databases", "/api/v1/sap_systems", "/api/v1/sap_systems/health"}

// restarted is the API as it is when it has just been started, with nothing
// remembered.
func (f *fixture) restarted() http.Handler {
	return f.auth.Identify(api.New(api.Deps{Store: f.store, Auth: f.auth, Log: slog.New(slog.DiscardHandler)}))
}

// answerOf is the body with which an API answers.
func (f *fixture) answerOf(fresh http.Handler, path string) string {
	w := httptest.NewRecorder()
	fresh.ServeHTTP(w, call{as: "root", method: http.MethodGet, path: path}.request(f))
	return w.Body.String()
}

// TestListsAreCurrent lets things happen at random, and expects lists that are
// asked for again and again to say the same as one that is asked for the first
// time.
func TestListsAreCurrent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	hosts := []string{db1ID, db2ID, app1ID, app2ID}
	kinds := []string{"hosts/" + db1ID, "hosts/" + app2ID, "clusters/" + string(clusterID), "databases/" + string(databaseID), "sap_systems/" + string(sapSystemID)}
	send := func(method, path, body string) {
		f.handler.ServeHTTP(httptest.NewRecorder(), call{as: "root", method: method, path: path, body: body, header: map[string]string{"X-Trento-Apikey": f.agentKey()}}.request(f))
	}
	look := func(rt *rapid.T, fresh http.Handler, path string) {
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, call{as: "root", method: http.MethodGet, path: path}.request(f))
		if diff := cmp.Diff(f.answerOf(fresh, path), w.Body.String()); diff != "" || w.Code != http.StatusOK {
			rt.Fatalf("%s: %d\n%s", path, w.Code, diff)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		f.signIn("root")
		f.build()
		list := rapid.SampledFrom(lists)
		host, kind := rapid.SampledFrom(hosts), rapid.SampledFrom(kinds)
		tag := rapid.SampledFrom([]string{"a", "b", "c"})
		colour := rapid.SampledFrom([]string{"GREEN", "RED", "GRAY"})
		rt.Repeat(map[string]func(*rapid.T){
			"host": func(rt *rapid.T) {
				send("POST", collectPath, builtHost(host.Draw(rt, "host"), "name"+tag.Draw(rt, "name")))
			},
			"tag": func(rt *rapid.T) {
				send("POST", "/api/v1/"+kind.Draw(rt, "kind")+"/tags", `{"value":"`+tag.Draw(rt, "tag")+`"}`)
			},
			"untag": func(rt *rapid.T) { send("DELETE", "/api/v1/"+kind.Draw(rt, "kind")+"/tags/"+tag.Draw(rt, "tag"), "") },
			"checks": func(rt *rapid.T) {
				send("POST", "/api/v1/"+kind.Draw(rt, "kind")+"/checks", `{"checks":["`+tag.Draw(rt, "check")+`"]}`)
			},
			"beat": func(rt *rapid.T) { send("POST", "/api/v1/hosts/"+host.Draw(rt, "host")+"/heartbeat", "") },
			"system": func(rt *rapid.T) {
				send("POST", collectPath, sapReport(app2ID, applicationServer(colour.Draw(rt, "colour"))))
			},
			"database": func(rt *rapid.T) {
				send("POST", collectPath, databaseReport(db1ID, primary(rapid.SampledFrom([]string{"ACTIVE", "ERROR"}).Draw(rt, "status"))))
			},
			"gone":   func(*rapid.T) { send("POST", collectPath, sapReport(app2ID)) },
			"remove": func(rt *rapid.T) { send("DELETE", "/api/v1/hosts/"+host.Draw(rt, "host"), "") },
			"silence": func(rt *rapid.T) {
				f.clock.pass(7 * time.Second)
				f.signIn("root")
				if err := f.store.MarkLostHosts(t.Context()); err != nil {
					rt.Fatal(err)
				}
			},
			"look": func(rt *rapid.T) { look(rt, f.restarted(), list.Draw(rt, "list")) },
		})
		fresh := f.restarted() // asked once for each list
		for _, path := range lists {
			look(rt, fresh, path)
		}
	})
}

// TestListsTogether reads lists while they change. Every answer is whole, and
// as one of the moments was.
func TestListsTogether(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.build()
	var readers sync.WaitGroup
	for _, path := range slices.Concat(lists, lists) {
		readers.Go(func() {
			for range 20 {
				w := httptest.NewRecorder()
				f.handler.ServeHTTP(w, call{as: "root", method: http.MethodGet, path: path}.request(f))
				if body := w.Body.String(); w.Header().Get("Content-Length") != fmt.Sprint(len(body)) || !strings.HasSuffix(body, "}]") {
					t.Errorf("%s: %s", path, body)
				}
			}
		})
	}
	for i := range 20 {
		w := httptest.NewRecorder()
		c := call{as: "root", method: http.MethodPost, path: "/api/v1/hosts/" + db1ID + "/tags", body: fmt.Sprintf(`{"value":"tag%d"}`, i)}
		if f.handler.ServeHTTP(w, c.request(f)); w.Code != http.StatusCreated {
			t.Errorf("answer %d", w.Code)
		}
	}
	readers.Wait()
}
