package discovery

import (
	"testing"
	"time"

	"trento/store/discovery/fleet"
)

// The reports of whole landscapes, with all that can be wrong with one, are
// read without leaving anything out: whatever package fleet makes has the
// form of what agents make.
func TestFleetReports(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 8, 20, 10, 0, 0, 0, time.UTC)
	read := 0
	for seed := range uint64(2) {
		f := fleet.New(seed, 100)
		for range 2 { // as it is made, and as it is after some changes
			for _, h := range f.Hosts() {
				for _, r := range h.Reports() {
					read++
					seen, err := decode(r.Body)
					if err != nil {
						t.Errorf("%s of %s: %v", r.Kind, h.Name, err)
					}
					for _, o := range seen.Omissions {
						t.Errorf("%s of %s: %s %s", r.Kind, h.Name, o.Pointer, o.Detail)
					}
				}
			}
			for range 60 {
				now = now.Add(10 * time.Second)
				f.Step(now)
			}
		}
	}
	if read < 2*2*100*5 {
		t.Errorf("only %d reports", read)
	}
}
