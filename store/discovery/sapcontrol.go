package discovery

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"trento/store/landscape"
)

// sapControl is the result of the sapcontrol service of an instance.
type sapControl struct {
	number   string // "" if it is missing
	hostname string // "" if it is missing
	ensa     landscape.ENSAVersion
	facts    *landscape.InstanceFacts // nil if the instance does not list itself
}

// sapControl reads the entry of the instance itself. It reads other entries
// only as far as necessary to find the instance's own.
func (f *fields) sapControl() sapControl {
	if !f.isPresent() {
		return sapControl{}
	}
	c := sapControl{ensa: f.ensa()}
	c.number, c.hostname = f.numberAndHostname()
	if c.number == "" {
		return c
	}
	f.noteEmpty("Instances")
	before := f.omittedCount
	for entry := range f.objects("Instances") {
		if c.isOwnEntry(entry) {
			c.facts = entry.instanceFacts(c.hostname)
			return c
		}
	}
	if v := f.array("Instances"); !v.isAbsent() && !f.omittedSince(before) {
		f.leaveOut("Instances", notListed)
	}
	return c
}

// numberAndHostname reads number and hostname from the properties of an
// instance. If a property is repeated, the first one counts.
func (f *fields) numberAndHostname() (number, hostname string) {
	f.noteEmpty("Properties")
	asked := map[string]*string{"SAPSYSTEM": &number, "SAPLOCALHOST": &hostname}
	for property := range f.objects("Properties") {
		v, _ := property.valueOf("property")
		if !v.isString() {
			continue // another property
		}
		name := v.text()
		if answer, ok := asked[name]; ok {
			*answer = property.expectedText("value")
			delete(asked, name)
		}
		if name == "SAPSYSTEM" && number != "" && !isInstanceNumber(number) {
			property.leaveOut("value", notInstanceNumber)
			number = ""
		}
	}
	if v := f.members["Properties"]; v.isArray() {
		for _, name := range slices.Sorted(maps.Keys(asked)) {
			f.leaveOut("Properties", "is without "+name)
		}
	}
	return number, hostname
}

// isInstanceNumber reports whether a text consists of two digits.
func isInstanceNumber(text string) bool {
	return len(text) == 2 && strings.Trim(text, "0123456789") == ""
}

// ensa returns the version of the enqueue server, from the name of its process.
// A stopped instance may list no processes.
func (f *fields) ensa() landscape.ENSAVersion {
	for process := range f.objects("Processes") {
		switch process.text("name") {
		case "enserver", "enrepserver":
			return landscape.ENSA1
		case "enq_server", "enq_replicator":
			return landscape.ENSA2
		}
	}
	return landscape.NoENSA
}

// isOwnEntry reports whether an entry belongs to the instance itself. Old
// agents do not mark that entry.
func (c *sapControl) isOwnEntry(entry *fields) bool {
	if current := entry.boolean("currentInstance"); current != nil {
		return *current
	}
	own, err := strconv.Atoi(c.number)
	if err != nil {
		return false
	}
	number := 0 // agents leave out a zero
	if n := entry.integer("instanceNr"); n != nil {
		number = *n
	}
	return number == own && landscape.SameHostname(entry.text("hostname"), c.hostname)
}

// instanceFacts reads the entry of an instance.
func (f *fields) instanceFacts(hostname string) *landscape.InstanceFacts {
	return &landscape.InstanceFacts{
		Hostname:      nilIfEmpty(hostname),
		Features:      f.expectedText("features"),
		HTTPPort:      f.integer("httpPort"), // agents leave out a port that does not exist
		TLSPort:       f.integer("httpsPort"),
		StartPriority: f.expectedText("startPriority"),
		Status:        f.status("dispstatus"),
	}
}

// status reads the status colour of an instance. A missing or unknown one
// becomes gray, which does not affect health.
func (f *fields) status(name string) landscape.InstanceStatus {
	switch f.expectedText(name) {
	case "SAPControl-GREEN":
		return landscape.Green
	case "SAPControl-YELLOW":
		return landscape.Yellow
	case "SAPControl-RED":
		return landscape.Red
	case "SAPControl-GRAY", "":
	default:
		f.leaveOut(name, reasonNotKnown)
	}
	return landscape.Gray
}
