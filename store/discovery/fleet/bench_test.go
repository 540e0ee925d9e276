package fleet

import "testing"

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		New(1, 10_000)
	}
}

// BenchmarkReports measures the generation of all reports of one host.
func BenchmarkReports(b *testing.B) {
	f := New(1, 100)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f.Hosts()[i%100].Reports()
	}
}
