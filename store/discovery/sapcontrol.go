package discovery

import (
	"strconv"

	"trento/store/landscape"
)

// sapControl is what the control service of an instance says about it.
type sapControl struct {
	number   string // empty where it is not told
	hostname string // empty where it is not told
	ensa     landscape.ENSAVersion
	facts    *landscape.InstanceFacts // nil where it does not list itself
}

// sapControl reads the entry of the instance itself where it is ours, and of
// the other entries no more than is needed to find it.
func (f *fields) sapControl(ours bool) sapControl {
	if !f.present() {
		return sapControl{}
	}
	c := sapControl{ensa: f.ensa()}
	c.number, c.hostname = f.identity()
	entries := f.someObjects("Instances")
	if !ours {
		return c
	}
	for _, entry := range entries {
		if c.current(entry) {
			c.facts = entry.instanceFacts(c.hostname)
			break
		}
	}
	return c
}

// identity is the number and the host name an instance gives itself.
func (f *fields) identity() (number, hostname string) {
	named := map[string]*string{"SAPSYSTEM": &number, "SAPLOCALHOST": &hostname}
	for _, property := range f.someObjects("Properties") {
		name := property.required("property")
		target, ok := named[name]
		if !ok {
			continue
		}
		delete(named, name) // the first one counts
		before := len(*f.wrong)
		if *target = property.optional("value"); *target == "" && len(*f.wrong) == before {
			property.add("value", detailBlank+" for property "+name)
		}
	}
	return number, hostname
}

// ensa is told by the first process of an enqueue service.
func (f *fields) ensa() landscape.ENSAVersion {
	version := landscape.NoENSA
	for _, process := range f.someObjects("Processes") {
		name := process.required("name")
		if version != landscape.NoENSA {
			continue
		}
		switch name {
		case "enserver", "enrepserver":
			version = landscape.ENSA1
		case "enq_server", "enq_replicator":
			version = landscape.ENSA2
		}
	}
	return version
}

// current reports whether an entry is that of the instance itself. Old agents
// leave it to us to find out.
func (c *sapControl) current(entry *fields) bool {
	if !entry.members["currentInstance"].absent() {
		return entry.boolean("currentInstance")
	}
	own, err := strconv.Atoi(c.number)
	if err != nil {
		return false
	}
	name, _ := entry.get("hostname")
	number, _ := entry.get("instanceNr")
	n, ok := integer(number)
	return ok && n == own && name.string() && name.text() == c.hostname
}

// instanceFacts reads the entry of an instance.
func (f *fields) instanceFacts(hostname string) *landscape.InstanceFacts {
	f.required("hostname")
	f.integer("instanceNr")
	facts := &landscape.InstanceFacts{
		Features:      f.required("features"),
		HTTPPort:      f.port("httpPort"),
		TLSPort:       f.port("httpsPort"),
		StartPriority: f.required("startPriority"),
		Status:        f.colour("dispstatus"),
	}
	if hostname != "" {
		facts.Hostname = &hostname
	}
	return facts
}

// port is nil where an instance has none, of which agents do not write.
func (f *fields) port(name string) *int {
	if v, ok := f.get(name); !ok || blank(v) {
		return nil
	}
	port := f.integer(name)
	return &port
}

func (f *fields) colour(name string) landscape.InstanceStatus {
	switch f.required(name) {
	case "SAPControl-GREEN":
		return landscape.Green
	case "SAPControl-YELLOW":
		return landscape.Yellow
	case "SAPControl-RED":
		return landscape.Red
	case "SAPControl-GRAY":
		return landscape.Gray
	case "": // is a problem already
	default:
		f.add(name, detailInvalid)
	}
	return ""
}
