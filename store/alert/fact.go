package alert

import "time"

// Facts are what the landscape says about an item at the moment at which a
// message is written.
type Facts struct {
	// Over reports whether the trouble is over by now. Ended is when it ended;
	// zero if that is not known any more.
	Over  bool
	Ended time.Time
	// Cluster is the cluster that a host which stopped reporting belongs to, and
	// Instances are the SAP instances on it.
	Cluster   *Thing
	Instances []Instance
}

// Instance is an SAP instance on a host.
type Instance struct {
	System Thing // of type Database or SAPSystem
	Number string
}
