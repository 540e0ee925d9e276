// Package landscape is the domain: hosts, clusters, databases and SAP systems,
// how healthy they are, and the rules that say what a report or a request
// changes about them. The rules know neither files nor HTTP. They read a State,
// and return a Changeset; see there.
//
// # Changesets
//
// Every change of the landscape is a landscape.Changeset: a report (Observe), a
// heartbeat (HeartbeatReceived, HeartbeatLost), a clean-up of one thing or of
// many (CleanUp). One report of a database host can touch its database, the SAP
// systems on it, the health of hosts, and bring to life what an application
// host reported an hour ago; so rules work on the changeset, each seeing what
// the ones before it have changed, and the store writes the outcome in one
// transaction. A confirmation dialog shows the events of the same changeset
// without applying it: what it lists is what will happen.
//
// The records are the things people speak of. A cluster holds its members, a
// database its instances and tenants, an SAP system its instances. What is
// asked across them (which databases have an instance on this host?) is the
// relation bucket, an index kept by apply and checked by Verify.
//
// The order of reports does not matter. What an agent last said about SAP is
// kept element by element (landscape.LastSAPReport); an element that cannot be
// placed yet, an application instance whose database is unknown, say, waits,
// and every changeset ends by evaluating the waiting elements again. What has
// settled waits again when its database has gone, has lost the tenant or the
// address, or has been replaced. An instance number on a host belongs to one
// system: who settles on it makes the former instance absent in the same
// transaction, and until then the former one stays. Only elements wait, never
// whole reports: an old report must not undo a newer one. What was cleaned up
// comes back only through a new report.
//
// Two kinds of reports differ each time and mean nothing by it: SAP processes
// grow older, clusters note when they last wrote their configuration. So
// "unchanged" has two stages: equal bytes are not even decoded, and equal
// meaning writes nothing.
package landscape
