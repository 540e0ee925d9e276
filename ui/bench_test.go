package ui

import (
	"fmt"
	"net/http"
	"testing"

	"trento/store/landscape"
)

// BenchmarkHosts makes the overview of 10,000 hosts, the size the console is
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
