package activity

import "strconv"

// ThingKind is the kind of a thing that an event names.
type ThingKind string

// The kinds of things that events name. All except users belong to the
// landscape.
const (
	HostThing      ThingKind = "host"
	ClusterThing   ThingKind = "cluster"
	DatabaseThing  ThingKind = "database"
	SAPSystemThing ThingKind = "sap_system"
	UserThing      ThingKind = "user"
)

// Thing is a host, cluster, database, SAP system or user that an event names.
type Thing struct {
	Kind ThingKind
	ID   string
	Name string // its name at the time of the event; "" if the event does not contain it
}

// Things returns the things that an event names. The thing that the event is
// about comes first. An event about an instance is about its system, and also
// names its host.
func Things(e Event) []Thing {
	var things []Thing
	add := func(kind ThingKind, id, name string) { things = append(things, Thing{kind, id, name}) }
	if e, ok := e.(ClusterEvent); ok {
		add(ClusterThing, e.Cluster().ClusterID, emptyIfNil(e.Cluster().Name))
	}
	if e, ok := e.(SAPSystemEvent); ok {
		add(SAPSystemThing, e.SAPSystem().SAPSystemID, e.SAPSystem().SID)
	}
	if e, ok := e.(DatabaseEvent); ok {
		add(DatabaseThing, e.Database().DatabaseID, e.Database().SID)
	}
	if e, ok := e.(CheckedEvent); ok {
		if c := e.Checked(); c.ClusterID != "" {
			add(ClusterThing, c.ClusterID, c.Name)
		} else {
			add(HostThing, c.HostID, c.Name)
		}
	}
	if e, ok := e.(TagEvent); ok {
		r := e.Tagged()
		add(ThingKind(r.ResourceType), r.ResourceID, r.name())
	}
	if e, ok := e.(UserEvent); ok && e.User().UserID != 0 {
		add(UserThing, strconv.FormatInt(e.User().UserID, 10), e.User().Username)
	}
	if e, ok := e.(HostEvent); ok {
		add(HostThing, e.Host().HostID, e.Host().Hostname)
	}
	if e, ok := e.(*ApplicationInstanceMoved); ok {
		add(HostThing, e.OldHostID, "")
		add(HostThing, e.NewHostID, "")
	}
	return things
}
