package discovery

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"trento/store/landscape"
)

// sapControl is what the control service of an instance says about it.
type sapControl struct {
	number   string // empty where it is not told
	hostname string // empty where it is not told
	ensa     landscape.ENSAVersion
	facts    *landscape.InstanceFacts // nil where it does not list itself
}

// sapControl reads the entry of the instance itself, and of the other entries
// no more than is needed to find it.
func (f *fields) sapControl() sapControl {
	if !f.present() {
		return sapControl{}
	}
	c := sapControl{ensa: f.ensa()}
	c.number, c.hostname = f.numberAndHostname()
	if c.number == "" {
		return c
	}
	f.noteNothing("Instances")
	before := f.omitted
	for entry := range f.each("Instances") {
		if c.current(entry) {
			c.facts = entry.instanceFacts(c.hostname)
			return c
		}
	}
	if v := f.array("Instances"); !v.absent() && !f.since(before) {
		f.leaveOut("Instances", noCurrent)
	}
	return c
}

// numberAndHostname is the number and the host name an instance gives itself. Of
// several entries the first one counts.
func (f *fields) numberAndHostname() (number, hostname string) {
	f.noteNothing("Properties")
	asked := map[string]*string{"SAPSYSTEM": &number, "SAPLOCALHOST": &hostname}
	for property := range f.each("Properties") {
		v, _ := property.get("property")
		if !v.string() {
			continue // nobody has asked for it
		}
		name := v.text()
		if answer, ok := asked[name]; ok {
			*answer = property.expected("value")
			delete(asked, name)
		}
		if name == "SAPSYSTEM" && number != "" && !isInstanceNumber(number) {
			property.leaveOut("value", noNumber)
			number = ""
		}
	}
	if v := f.members["Properties"]; v.array() {
		for _, name := range slices.Sorted(maps.Keys(asked)) {
			f.leaveOut("Properties", "is without "+name)
		}
	}
	return number, hostname
}

// isInstanceNumber: two digits, always.
func isInstanceNumber(text string) bool {
	return len(text) == 2 && strings.Trim(text, "0123456789") == ""
}

// ensa is told by the first process of an enqueue service. An instance that is
// stopped may list no processes.
func (f *fields) ensa() landscape.ENSAVersion {
	for process := range f.each("Processes") {
		switch process.text("name") {
		case "enserver", "enrepserver":
			return landscape.ENSA1
		case "enq_server", "enq_replicator":
			return landscape.ENSA2
		}
	}
	return landscape.NoENSA
}

// current reports whether an entry is that of the instance itself. Old agents
// leave it to us to find out.
func (c *sapControl) current(entry *fields) bool {
	if current := entry.boolean("currentInstance"); current != nil {
		return *current
	}
	own, err := strconv.Atoi(c.number)
	if err != nil {
		return false
	}
	number := 0 // which agents do not write
	if n := entry.integer("instanceNr"); n != nil {
		number = *n
	}
	return number == own && landscape.SameHostname(entry.text("hostname"), c.hostname)
}

// instanceFacts reads the entry of an instance.
func (f *fields) instanceFacts(hostname string) *landscape.InstanceFacts {
	return &landscape.InstanceFacts{
		Hostname:      orNil(hostname),
		Features:      f.expected("features"),
		HTTPPort:      f.integer("httpPort"), // agents do not write a port that there is not
		TLSPort:       f.integer("httpsPort"),
		StartPriority: f.expected("startPriority"),
		Status:        f.colour("dispstatus"),
	}
}

// colour is gray, of which no health follows, where it is none.
func (f *fields) colour(name string) landscape.InstanceStatus {
	switch f.expected(name) {
	case "SAPControl-GREEN":
		return landscape.Green
	case "SAPControl-YELLOW":
		return landscape.Yellow
	case "SAPControl-RED":
		return landscape.Red
	case "SAPControl-GRAY", "":
	default:
		f.leaveOut(name, notKnown)
	}
	return landscape.Gray
}
