package discovery

import (
	"slices"

	"trento/store/landscape"
)

// Kinds of systems, as agents number them. The instances of the others, which
// are diagnostics agents and what the agent could not make out, are no part
// of the landscape.
const (
	databaseSystem    = 1
	applicationSystem = 2
	lastSystem        = 3
)

// decodeSAP reads a sap_system_discovery. It is accepted or refused as a
// whole: instances that are missing from a report count as gone.
func decodeSAP(payload value) (*landscape.SAPReport, error) {
	if !payload.array() {
		return nil, unable()
	}
	var wrong problems
	var systems []sapSystem
	for _, element := range payload.elements() {
		if !element.object() {
			return nil, unable()
		}
		systems = append(systems, read(element, nil, "", &wrong).sapSystem())
	}
	if err := wrong.err(StagePayload); err != nil {
		return nil, err
	}
	report := &landscape.SAPReport{Elements: []landscape.Element{}}
	understood := true
	for _, s := range systems {
		for _, instance := range s.instances {
			element, ok := s.element(instance, &wrong)
			understood = understood && ok
			report.Elements = append(report.Elements, element)
		}
	}
	if err := wrong.err(StagePayload); err != nil {
		return nil, err
	}
	if !understood {
		return nil, unable()
	}
	return report, nil
}

// sapSystem is one system on a host, as the agent sees it.
type sapSystem struct {
	kind      int
	key       string // names a database to itself
	sid       string
	dbAddress string
	tenant    string   // of an SAP system
	tenants   []string // of a database
	instances []sapInstance
}

// sapInstance is an instance that is a part of the landscape.
type sapInstance struct {
	control     sapControl
	replication replication
}

func (f *fields) sapSystem() sapSystem {
	s := sapSystem{
		key: f.required("Id"), sid: f.required("SID"), kind: f.systemKind(),
		dbAddress: f.optional("DBAddress"), tenants: f.tenants(),
	}
	if profile := f.demanded("Profile"); s.kind == applicationSystem && profile.present() {
		s.tenant = profile.required("dbs/hdb/dbname")
	}
	ours := s.kind == databaseSystem || s.kind == applicationSystem
	if f.members["Instances"].null() {
		f.add("Instances", detailBlank)
	}
	for _, instance := range f.objects("Instances") {
		instance.required("Host")
		instance.required("Name")
		instance.integer("Type")
		control := instance.demanded("SAPControl").sapControl(ours)
		sites := instance.replication()
		if ours {
			s.instances = append(s.instances, sapInstance{control, sites})
		}
	}
	return s
}

func (f *fields) systemKind() int {
	before := len(*f.wrong)
	kind := f.integer("Type")
	if len(*f.wrong) == before && (kind < 0 || kind > lastSystem) {
		f.add("Type", detailInvalid)
	}
	return kind
}

// tenants are the names of the tenants of a database, in alphabetical order.
func (f *fields) tenants() []string {
	list := []string{}
	for _, tenant := range f.objects("Databases") {
		list = append(list, tenant.required("Database"))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// element is an instance in the terms of the landscape. It is false where no
// problem can be named and yet the instance makes no sense.
func (s *sapSystem) element(i sapInstance, wrong *problems) (element landscape.Element, understood bool) {
	needed := func(name string, ok bool) {
		if !ok {
			wrong.add("/"+name, detailBlank)
		}
	}
	needed("instance_number", i.control.number != "")
	element = landscape.Element{SID: s.sid, Number: i.control.number}
	understood = i.control.facts != nil
	if understood {
		element.InstanceFacts = *i.control.facts
	}
	if s.kind == applicationSystem {
		needed("instance_hostname", i.control.hostname != "")
		element.Application = &landscape.ApplicationElement{DBHost: s.dbAddress, Tenant: s.tenant, ENSA: i.control.ensa}
		return element, understood
	}
	// A database without tenants would take its SAP systems with it.
	needed("tenants", len(s.tenants) > 0)
	element.Database = &landscape.DatabaseElement{
		ID: landscape.DatabaseOf(s.key), Tenants: s.tenants,
		Replication: i.replication.Replication, ActivePrimarySite: i.replication.activePrimary,
	}
	return element, understood && i.replication.understood
}

// demanded reads the members of a member that must be an object.
func (f *fields) demanded(name string) *fields {
	if _, ok := f.get(name); !ok {
		f.add(name, detailBlank)
	}
	return f.into(name)
}

// objects are the elements of an array of objects. As clients know the
// pointers of a SAP report, they have no indexes.
func (f *fields) objects(name string) []*fields {
	v := f.array(name)
	if v.absent() {
		return nil
	}
	list := []*fields{}
	for _, element := range v.elements() {
		if !element.object() {
			f.add(name, detailInvalid)
			return nil
		}
		list = append(list, read(element, nil, f.pointer+"/"+name, f.wrong))
	}
	return list
}

// someObjects is objects of an array that must not be empty.
func (f *fields) someObjects(name string) []*fields {
	before := len(*f.wrong)
	list := f.objects(name)
	if len(list) == 0 && len(*f.wrong) == before {
		f.add(name, detailBlank)
	}
	return list
}
