package alert

import (
	"cmp"
	"time"

	"trento/store/activity"
)

// Effect is what an event means for an alert.
type Effect uint8

// The effects of events.
const (
	Starts Effect = iota + 1 // trouble begins
	Ends                     // trouble ends
	Remove                   // the thing was cleaned up
)

// Signal is what an event says about one kind of trouble of one thing.
type Signal struct {
	Effect   Effect
	Kind     Kind
	Thing    Thing
	Health   string    // of the thing, if the trouble ends
	Detail   string    // see Alert
	Before   string    // see Alert
	Deadline time.Time // see Alert
	Step     int       // see Alert
}

const critical = "critical"

// backupsID and apiKeyID are the ids of the only things of their types.
const (
	backupsID = "backups"
	apiKeyID  = "api_key"
)

// SignalsOf returns what an event means for alerts; nil if it means nothing.
func SignalsOf(e activity.Event) []Signal {
	switch e := e.(type) {
	case *activity.HeartbeatFailed:
		return []Signal{{Effect: Starts, Kind: HeartbeatLost, Thing: hostOf(e)}}
	case *activity.HeartbeatSucceeded:
		return []Signal{{Effect: Ends, Kind: HeartbeatLost, Thing: hostOf(e)}}
	case *activity.HostHealthChanged:
		return healthSignal(HostCritical, hostOf(e), e.Health, e.Change)
	case *activity.HostDeregistered:
		return []Signal{{Effect: Remove, Kind: HeartbeatLost, Thing: hostOf(e)}, {Effect: Remove, Kind: HostCritical, Thing: hostOf(e)}}
	case *activity.ClusterHealthChanged:
		return healthSignal(ClusterCritical, clusterOf(e), e.Health, e.Change)
	case *activity.ClusterDeregistered:
		return []Signal{{Effect: Remove, Kind: ClusterCritical, Thing: clusterOf(e)}}
	case *activity.DatabaseHealthChanged:
		return healthSignal(DatabaseCritical, databaseOf(e), e.Health, e.Change)
	case *activity.DatabaseDeregistered:
		return []Signal{{Effect: Remove, Kind: DatabaseCritical, Thing: databaseOf(e)}}
	case *activity.SAPSystemHealthChanged:
		return healthSignal(SAPSystemCritical, sapSystemOf(e), e.Health, e.Change)
	case *activity.SAPSystemDeregistered:
		return []Signal{{Effect: Remove, Kind: SAPSystemCritical, Thing: sapSystemOf(e)}}
	case *activity.BackupFailure:
		return []Signal{{Effect: Starts, Kind: BackupFailed, Thing: backups(), Detail: e.Reason}}
	case *activity.BackupCreation:
		if e.Destination == activity.BackupDownload {
			return nil
		}
		return []Signal{{Effect: Ends, Kind: BackupFailed, Thing: backups()}}
	case *activity.APIKeyGeneration:
		return []Signal{{Effect: Ends, Kind: APIKeyExpiry, Thing: APIKeyThing()}}
	}
	return nil
}

func healthSignal(kind Kind, thing Thing, health string, change activity.Change) []Signal {
	if health == critical {
		return []Signal{{Effect: Starts, Kind: kind, Thing: thing, Detail: change.Cause, Before: change.Old}}
	}
	return []Signal{{Effect: Ends, Kind: kind, Thing: thing, Health: health}}
}

func hostOf(e activity.HostEvent) Thing {
	return Thing{Host, e.Host().HostID, cmp.Or(e.Host().Hostname, e.Host().HostID)}
}

func clusterOf(e activity.ClusterEvent) Thing {
	c := e.Cluster()
	if c.Name == nil {
		return Thing{Cluster, c.ClusterID, c.ClusterID}
	}
	return Thing{Cluster, c.ClusterID, cmp.Or(*c.Name, c.ClusterID)}
}

func databaseOf(e activity.DatabaseEvent) Thing {
	return Thing{Database, e.Database().DatabaseID, cmp.Or(e.Database().SID, e.Database().DatabaseID)}
}

func sapSystemOf(e activity.SAPSystemEvent) Thing {
	return Thing{SAPSystem, e.SAPSystem().SAPSystemID, cmp.Or(e.SAPSystem().SID, e.SAPSystem().SAPSystemID)}
}

func backups() Thing { return Thing{Backups, backupsID, "Backup"} }

// APIKeyThing returns the API key of the agents as a thing that can be in
// trouble.
func APIKeyThing() Thing { return Thing{APIKey, apiKeyID, "API key"} }

// The names of certificates, by what they are for.
const (
	TLSCertificate  = "TLS"
	SAMLCertificate = "SAML"
)

// CertificateThing returns a certificate as a thing that can be in trouble. name
// says what it is for.
func CertificateThing(name string) Thing {
	return Thing{Certificate, name, name + " certificate"}
}
