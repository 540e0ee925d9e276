package landscape_test

import (
	"testing"

	"trento/store/landscape"
)

// BenchmarkSAPReport measures the rules, without the store, for a report with a
// changed status of an instance.
func BenchmarkSAPReport(b *testing.B) {
	w := running(b)
	for name, seen := range map[string]landscape.Observation{
		"database":    {Agent: "db", Kind: landscape.SAPSystemDiscovery, SAP: &landscape.SAPReport{Elements: []landscape.Element{hana(status(landscape.Red))}}},
		"application": {Agent: "b", Kind: landscape.SAPSystemDiscovery, SAP: &landscape.SAPReport{Elements: []landscape.Element{app("01", abap, status(landscape.Red))}}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cs, err := landscape.Observe(w, seen, w.now)
				if err != nil || !cs.Changed() {
					b.Fatal(err)
				}
			}
		})
	}
}
