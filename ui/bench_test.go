package ui

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"trento/store"
	"trento/store/landscape"
)

// BenchmarkHosts makes the table of 10,000 hosts, the size the console is
// built for: a page has to take less than 100 ms.
func BenchmarkHosts(b *testing.B) {
	f := newFixture(b)
	f.user("ada")
	providers := []string{"aws", "azure", "gcp", "kvm"}
	for n := range 10_000 {
		f.host(n, fmt.Sprintf("vmhana%05d", n))
		f.observe(n, landscape.Observation{Cloud: &landscape.Cloud{Provider: providers[n%len(providers)]}})
	}
	for name, target := range map[string]string{
		"first": "/hosts", "words": "/hosts?q=hana+aws", "sorted": "/hosts?sort=-address&page=500", "100": "/hosts?per_page=100",
		"host": "/hosts/" + string(hostID(77)), "csv": "/hosts.csv",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if w := f.do(call{target: target, as: "ada"}); w.Code != http.StatusOK {
					b.Fatalf("status %d", w.Code)
				}
			}
		})
	}
}

// BenchmarkLandscape makes the pages of landscapes with their clusters,
// databases and SAP systems. With 1,000 hosts each has to take less than 20 ms,
// with 10,000 less than 100 ms.
func BenchmarkLandscape(b *testing.B) {
	for _, hosts := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(hosts), func(b *testing.B) { benchmarkLandscape(b, hosts) })
	}
}

func benchmarkLandscape(b *testing.B, hosts int) {
	f := fleetFixture(b, hosts)
	f.indexed()
	v := f.land()
	for n, h := range v.Hosts {
		if n%10 == 0 {
			if err := f.store.AddTag(b.Context(), store.System(), store.HostTag, string(h.ID), fmt.Sprintf("env%d", n%70)); err != nil {
				b.Fatal(err)
			}
		}
	}
	for name, target := range map[string]string{
		"host": "/hosts/" + string(v.Hosts[0].ID), "cluster": "/clusters/" + string(v.Clusters[0].ID),
		"database": "/databases/" + string(v.Databases[0].ID), "system": "/sap_systems/" + string(v.Systems[0].ID),
	} {
		b.Run("a "+name, func(b *testing.B) {
			for b.Loop() {
				if w := f.do(call{target: target, as: "admin"}); w.Code != http.StatusOK {
					b.Fatalf("status %d", w.Code)
				}
			}
		})
	}
	for _, target := range []string{"/", "/map", "/hosts", "/hosts?per_page=100", "/hosts?sid=AAA&q=hana", "/clusters", "/databases", "/sap_systems", "/search?q=hana", "/search?q=nothing", "/cleanup", "/availability", "/about"} {
		b.Run(target, func(b *testing.B) {
			for b.Loop() {
				if w := f.do(call{target: target, as: "admin"}); w.Code != http.StatusOK {
					b.Fatalf("status %d", w.Code)
				}
			}
		})
	}
	benchmarkPalette(b, f)
	b.Run("/hosts after a change", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			if err := f.store.AddTag(b.Context(), store.System(), store.HostTag, string(hostID(1)), fmt.Sprintf("tag%d", n)); err != nil {
				b.Fatal(err)
			}
			if w := f.do(call{target: "/hosts", as: "admin"}); w.Code != http.StatusOK {
				b.Fatalf("status %d", w.Code)
			}
		}
	})
}

// benchmarkPalette answers what somebody types into the palette: with 1,000
// hosts it has to take less than 10 ms, with 10,000 less than 50.
func benchmarkPalette(b *testing.B, f *fixture) {
	s := f.server(b)
	handler, err := s.handler()
	if err != nil {
		b.Fatal(err)
	}
	ask := func(b *testing.B, query string) {
		s.paletteRate.byUser = nil
		r := httptest.NewRequest(http.MethodGet, "/palette?"+query, nil)
		r.AddCookie(f.cookies["admin"])
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatalf("status %d", w.Code)
		}
	}
	for _, query := range []string{"q=", "q=a", "q=hana", "q=hana+aws", "q=tag+a", "q=nothing"} {
		b.Run("/palette?"+query, func(b *testing.B) {
			for b.Loop() {
				ask(b, query)
			}
		})
	}
	changed := string(f.land().Hosts[0].ID)
	b.Run("/palette after a change", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			if err := f.store.AddTag(b.Context(), store.System(), store.HostTag, changed, fmt.Sprintf("typed%d", n)); err != nil {
				b.Fatal(err)
			}
			ask(b, "q=hana")
		}
	})
}
