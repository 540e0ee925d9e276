package discovery

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"

	"trento/store/landscape"
)

// Kinds of systems, as agents number them. Diagnostics agents, and what the
// agent could not make out, are no part of the landscape.
const (
	nothingKnown      = 0
	databaseSystem    = 1
	applicationSystem = 2
	diagnosticsAgent  = 3
)

// decodeSAP reads a sap_system_discovery. An instance or a system that cannot
// be read is left out; that it is listed nevertheless says that it is there.
func decodeSAP(payload value, r *reading) (*landscape.SAPReport, error) {
	if !payload.array() {
		return nil, unable()
	}
	report := &landscape.SAPReport{Elements: []landscape.Element{}}
	for i, element := range payload.elements() {
		if !element.object() {
			r.omit("/"+strconv.Itoa(i), noObject, element)
			report.Unread = append(report.Unread, landscape.UnreadInstance{})
			continue
		}
		readElement(element, i, r).sapSystem(report)
	}
	return report, nil
}

// sapSystem is one system on a host, as the agent sees it.
type sapSystem struct {
	sid         string
	database    *landscape.DatabaseElement // of a database, without its part in a replication
	application *landscape.ApplicationElement
}

// sapSystem adds the instances of a system to the report.
func (f *fields) sapSystem(report *landscape.SAPReport) {
	kind := f.integer("Type")
	if kind != nil && (*kind == nothingKnown || *kind == diagnosticsAgent) {
		return
	}
	s := sapSystem{sid: f.expected("SID")}
	readable := s.sid != ""
	switch {
	case kind == nil:
		f.noteNothing("Type")
		readable = false
	case *kind == databaseSystem:
		s.database = f.database()
		readable = readable && s.database != nil
	case *kind == applicationSystem:
		s.application = f.application()
		readable = readable && s.application != nil
	default:
		f.leaveOut("Type", notKnown)
		readable = false
	}
	if f.array("Instances").absent() { // none, which is not the same as an empty list
		f.noteNothing("Instances")
		report.Unread = append(report.Unread, landscape.UnreadInstance{SID: s.sid})
		return
	}
	listed := 0
	for instance := range f.each("Instances") {
		listed++
		var element landscape.Element
		ok := false
		if readable {
			element, ok = s.element(instance)
		}
		if ok {
			report.Elements = append(report.Elements, element)
			continue
		}
		number := cmp.Or(element.Number, instance.numberInName())
		report.Unread = append(report.Unread, landscape.UnreadInstance{SID: s.sid, Number: number})
	}
	if listed < f.length("Instances") { // an element that is no object may be any instance
		report.Unread = append(report.Unread, landscape.UnreadInstance{SID: s.sid})
	}
}

// database is what a system says about the database that it is; nil where it
// cannot be told from others.
func (f *fields) database() *landscape.DatabaseElement {
	key := f.expected("Id")
	if key == "" {
		return nil
	}
	d := &landscape.DatabaseElement{ID: landscape.DatabaseIDFromKey(key), Tenants: []string{}}
	before := f.omitted
	f.noteNothing("Databases")
	for tenant := range f.each("Databases") {
		if name := tenant.expected("Database"); name != "" {
			d.Tenants = append(d.Tenants, name)
		}
	}
	if len(d.Tenants) == 0 && f.omitted == before {
		f.leaveOut("Databases", isEmpty)
	}
	// A database without tenants would take its SAP systems with it.
	d.TenantsUnread = f.since(before)
	slices.Sort(d.Tenants)
	d.Tenants = slices.Compact(d.Tenants)
	return d
}

// application is what a system says about the database that it works on; nil
// where that is none we know: the agent lists systems on all databases.
func (f *fields) application() *landscape.ApplicationElement {
	const tenant = "dbs/hdb/dbname"
	f.noteNothing("Profile")
	profile := f.into("Profile")
	if !profile.present() {
		return nil
	}
	if profile.nothing(tenant) != "" {
		profile.leaveOut(tenant, noHANA)
		return nil
	}
	a := &landscape.ApplicationElement{DBHost: f.text("DBAddress"), Tenant: profile.text(tenant), ENSA: landscape.NoENSA}
	if a.Tenant == "" {
		return nil
	}
	return a
}

// instanceName is the name of the directory of an instance: its kind and its
// number.
var instanceName = regexp.MustCompile(`^[A-Z]+([0-9]{2})$`)

// numberInName is the number that an instance has by its name; empty where it
// does not tell.
func (f *fields) numberInName() string {
	v, _ := f.get("Name")
	if !v.string() {
		return ""
	}
	if parts := instanceName.FindStringSubmatch(v.text()); parts != nil {
		return parts[1]
	}
	return ""
}

// element is an instance in the terms of the landscape. It cannot be read
// where it does not say which one it is, or where it does not list itself.
func (s *sapSystem) element(instance *fields) (landscape.Element, bool) {
	instance.noteNothing("SAPControl")
	control := instance.into("SAPControl").sapControl()
	element := landscape.Element{SID: s.sid, Number: control.number}
	if control.number == "" || control.facts == nil {
		return element, false
	}
	element.InstanceFacts = *control.facts
	if s.application != nil {
		application := *s.application
		application.ENSA = control.ensa
		element.Application = &application
		return element, true
	}
	database := *s.database
	instance.replication(&database)
	element.Database = &database
	return element, true
}
