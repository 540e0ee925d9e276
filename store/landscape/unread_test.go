package landscape_test

import (
	"testing"

	"trento/store/landscape"
)

// sapUnread reports instances beside ones that could not be read.
func (w *world) sapUnread(id landscape.HostID, unread []landscape.UnreadInstance, elements ...landscape.Element) []string {
	r := sapReport(elements...)
	r.Unread = unread
	return w.observe(landscape.Observation{Agent: id, Kind: landscape.SAPSystemDiscovery, SAP: r})
}

// What an agent lists is there, even where it cannot be read.
func TestUnreadInstancesAreNotAbsent(t *testing.T) {
	for _, c := range []struct {
		name string
		landscape.UnreadInstance
		gone []string
	}{
		{"the one", landscape.UnreadInstance{SID: "LIM", Number: "01"}, nil},
		{"any of its system", landscape.UnreadInstance{SID: "LIM"}, nil},
		{"any of its number", landscape.UnreadInstance{Number: "01"}, nil},
		{"any", landscape.UnreadInstance{}, nil},
		{"another number", landscape.UnreadInstance{SID: "LIM", Number: "02"}, []string{"application_instance_marked_absent b/01"}},
		{"another system", landscape.UnreadInstance{SID: "ORE", Number: "01"}, []string{"application_instance_marked_absent b/01"}},
	} {
		w := running(t)
		unread := []landscape.UnreadInstance{c.UnreadInstance}
		t.Log(c.name)
		w.expect(w.sapUnread("b", unread), c.gone...)
		w.expect(w.sapUnread("b", unread)) // says nothing new
		if c.gone == nil {
			w.expect(w.sap("b"), "application_instance_marked_absent b/01")
		}
	}
	w := running(t)
	w.expect(w.sapUnread("db", []landscape.UnreadInstance{{SID: "ORE"}}))
	w.expect(w.sap("db"), "database_instance_marked_absent db/10")
}
