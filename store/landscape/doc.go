// Package landscape is the domain: hosts, clusters, databases and SAP systems,
// their health, and the rules for the changes that follow from a report or a
// request. The rules use neither files nor HTTP. They read a State and return a
// Changeset.
//
// # Changesets
//
// Every change of the landscape is a Changeset: a report (Observe), a heartbeat
// (HeartbeatReceived, HeartbeatLost) or a clean-up (CleanUp). One report of a
// database host can change its database, the SAP systems on the database and
// the health of hosts, and can make an earlier report of an application host
// usable. The rules therefore work on a changeset, in which each rule sees the
// changes of the rules before it. The store writes the changeset in one
// transaction. A confirmation dialog shows the events of the same changeset
// without applying it, so it lists exactly the changes that will be made.
//
// Each record is a thing that users know. A cluster holds its members, a
// database its instances and tenants, an SAP system its instances. Questions
// across records, such as which databases have an instance on a host, are
// answered by the index bucket "relation" of package store.
//
// The order of reports does not matter. The elements of an agent's last SAP
// report are kept (LastSAPReport). An element that does not fit yet waits: for
// example, an application instance whose database is unknown. Every changeset
// ends with an attempt to apply the waiting elements again. An element that was
// applied waits again when its database is deregistered, loses the tenant or
// the address, or is replaced. An instance number on a host belongs to one
// system. When another system takes the number, the former instance becomes
// absent in the same transaction. Only elements wait, never whole reports: an
// old report must not undo a newer one. A thing that was cleaned up is restored
// only by a new report.
//
// Two kinds of reports contain values that differ each time without any
// meaning: the age of SAP processes, and the time at which a cluster last wrote
// its configuration. "Unchanged" is therefore checked twice: identical bytes
// are not even decoded, and a report with the same meaning writes nothing.
package landscape
