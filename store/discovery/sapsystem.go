package discovery

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"

	"trento/store/landscape"
)

// The types of systems, by the numbers that agents use. Diagnostics agents and
// unknown systems are not part of the landscape.
const (
	unknownSystem     = 0
	databaseSystem    = 1
	applicationSystem = 2
	diagnosticsAgent  = 3
)

// decodeSAP reads a sap_system_discovery. Systems and instances that cannot be
// read are noted as unread: the agent lists them, so they are not absent.
func decodeSAP(payload value, r *findings) (*landscape.SAPReport, error) {
	if !payload.isArray() {
		return nil, errUnknownForm()
	}
	report := &landscape.SAPReport{Elements: []landscape.Element{}}
	for i, element := range payload.elements() {
		if !element.isObject() {
			r.omit("/"+strconv.Itoa(i), notObject, element)
			report.Unread = append(report.Unread, landscape.UnreadInstance{})
			continue
		}
		readElement(element, i, r).sapSystem(report)
	}
	return report, nil
}

// sapSystem is a system on a host, as the agent reports it.
type sapSystem struct {
	sid         string
	database    *landscape.DatabaseElement // without the replication of its instances
	application *landscape.ApplicationElement
}

// sapSystem adds the instances of a system to the report.
func (f *fields) sapSystem(report *landscape.SAPReport) {
	kind := f.integer("Type")
	if kind != nil && (*kind == unknownSystem || *kind == diagnosticsAgent) {
		return
	}
	s := sapSystem{sid: f.expectedText("SID")}
	readable := s.sid != ""
	switch {
	case kind == nil:
		f.noteEmpty("Type")
		readable = false
	case *kind == databaseSystem:
		s.database = f.database()
		readable = readable && s.database != nil
	case *kind == applicationSystem:
		s.application = f.application()
		readable = readable && s.application != nil
	default:
		f.leaveOut("Type", reasonNotKnown)
		readable = false
	}
	if f.array("Instances").isAbsent() { // the list is missing; an empty list has another meaning
		f.noteEmpty("Instances")
		report.Unread = append(report.Unread, landscape.UnreadInstance{SID: s.sid})
		return
	}
	listed := 0
	for instance := range f.objects("Instances") {
		listed++
		var element landscape.Element
		ok := false
		if readable {
			element, ok = s.instanceElement(instance)
		}
		if ok {
			report.Elements = append(report.Elements, element)
			continue
		}
		number := cmp.Or(element.Number, instance.numberInName())
		report.Unread = append(report.Unread, landscape.UnreadInstance{SID: s.sid, Number: number})
	}
	if listed < f.lengthOf("Instances") { // elements that are not objects could be any instance
		report.Unread = append(report.Unread, landscape.UnreadInstance{SID: s.sid})
	}
}

// database reads the system as a database; nil if it cannot be identified.
func (f *fields) database() *landscape.DatabaseElement {
	key := f.expectedText("Id")
	if key == "" {
		return nil
	}
	d := &landscape.DatabaseElement{ID: landscape.DatabaseIDFromKey(key), Tenants: []string{}}
	before := f.omittedCount
	f.noteEmpty("Databases")
	for tenant := range f.objects("Databases") {
		if name := tenant.expectedText("Database"); name != "" {
			d.Tenants = append(d.Tenants, name)
		}
	}
	if len(d.Tenants) == 0 && f.omittedCount == before {
		f.leaveOut("Databases", reasonIsEmpty)
	}
	// Without this, the missing tenants would count as deleted, and their SAP
	// systems would be deregistered.
	d.TenantsUnread = f.omittedSince(before)
	slices.Sort(d.Tenants)
	d.Tenants = slices.Compact(d.Tenants)
	return d
}

// application reads the system as an application, with the database that it
// uses; nil if that is not SAP HANA.
func (f *fields) application() *landscape.ApplicationElement {
	const tenant = "dbs/hdb/dbname"
	f.noteEmpty("Profile")
	profile := f.nested("Profile")
	if !profile.isPresent() {
		return nil
	}
	if profile.emptyReason(tenant) != "" {
		profile.leaveOut(tenant, notOnHANA)
		return nil
	}
	a := &landscape.ApplicationElement{DBHost: f.text("DBAddress"), Tenant: profile.text(tenant), ENSA: landscape.NoENSA}
	if a.Tenant == "" {
		return nil
	}
	return a
}

// instanceNamePattern matches the directory name of an instance: letters for its type,
// then its number.
var instanceNamePattern = regexp.MustCompile(`^[A-Z]+([0-9]{2})$`)

// numberInName returns the number in the name of an instance; "" if it has
// none.
func (f *fields) numberInName() string {
	v, _ := f.valueOf("Name")
	if !v.isString() {
		return ""
	}
	if parts := instanceNamePattern.FindStringSubmatch(v.text()); parts != nil {
		return parts[1]
	}
	return ""
}

// instanceElement returns an instance as an element of an observation. It returns false
// if the instance has no number or does not list itself.
func (s *sapSystem) instanceElement(instance *fields) (landscape.Element, bool) {
	instance.noteEmpty("SAPControl")
	control := instance.nested("SAPControl").sapControl()
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
