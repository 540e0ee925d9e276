package landscape

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"
)

// DatabaseID identifies a HANA database. All of its hosts derive the same id
// from the identifier in the database's own files.
type DatabaseID string

// DatabaseIDFromKey returns the id of the database with the identifier that
// agents report.
func DatabaseIDFromKey(key string) DatabaseID {
	return DatabaseID(uuid.NewSHA1(idNamespace, []byte(key)).String())
}

// Database is a HANA database. Its instances can be on several hosts and sites.
// SAP systems run on its tenants.
type Database struct {
	ID  DatabaseID `json:"id"`
	SID string     `json:"sid"`

	Health    Health             `json:"health"` // the worst health of its instances
	Tenants   []string           `json:"tenants"`
	Instances []DatabaseInstance `json:"instances"` // ordered by number and host

	// StaleSince is the time at which the first stale instance became stale;
	// nil if none is stale.
	StaleSince *time.Time `json:"stale_since,omitempty"`

	RegisteredAt   time.Time  `json:"registered_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
	DeregisteredAt *time.Time `json:"deregistered_at,omitempty"`
}

// Registered reports whether the database is part of the landscape now.
func (db *Database) Registered() bool { return db.DeregisteredAt == nil }

// DatabaseInstance is an instance of a database on a host.
type DatabaseInstance struct {
	Instance
	Replication
	// ActivePrimarySite is the id of the primary site from which a secondary
	// replicates, directly or through other sites; nil if it was not reported.
	ActivePrimarySite *int `json:"active_primary_site,omitempty"`
	// TierDerived is true if the tier was not reported, but derived from the
	// tier of the active primary site.
	TierDerived bool `json:"tier_derived,omitzero"`
	// ReplicationChangedAt is the time at which the role, source, mode or status in
	// the system replication changed; nil if they are as they were first
	// reported.
	ReplicationChangedAt *time.Time `json:"replication_changed_at,omitempty"`
}

// The roles in a system replication.
const (
	PrimaryRole   = "Primary"
	SecondaryRole = "Secondary"
)

// Replication is the role of an instance in the system replication of its
// database. Its JSON form is part of the API. Without system replication, Mode
// is "none" and all other fields are nil.
type Replication struct {
	Role              *string `json:"system_replication"`        // PrimaryRole or SecondaryRole
	ReplicationStatus *string `json:"system_replication_status"` // in HANA's words; only of a primary
	Site              *string `json:"system_replication_site"`
	SiteID            *int    `json:"system_replication_site_id"`
	Mode              *string `json:"system_replication_mode"`
	OperationMode     *string `json:"system_replication_operation_mode"`
	SourceSite        *string `json:"system_replication_source_site"`
	// Tier is 1 for the primary site, 2 for the sites that replicate from it,
	// and so on.
	Tier *int `json:"system_replication_tier"`
}

func (r *Replication) isPrimary() bool   { return r.Role != nil && *r.Role == PrimaryRole }
func (r *Replication) isSecondary() bool { return r.Role != nil && *r.Role == SecondaryRole }

// ListedOn reports whether a host lists an instance of the database.
func (db *Database) ListedOn(host HostID) bool { return isListedOn(db, host) }

// clone returns a copy whose own fields and instances may be modified.
func (db *Database) clone() *Database {
	after := *db
	after.Instances = slices.Clone(db.Instances)
	return &after
}

func (db *Database) key() string            { return string(db.ID) }
func (db *Database) instances() []*Instance { return instances(db.Instances) }

// currentSID returns the SID of the database's first instance. Instances that
// are listed by their hosts come before absent instances, and then secondaries
// come last. known is false if there are no instances.
func (db *Database) currentSID() (sid string, known bool) {
	if len(db.Instances) == 0 {
		return "", false
	}
	rank := func(i DatabaseInstance) int {
		rank := 0
		if i.AbsentSince != nil {
			rank += 2
		}
		if i.isSecondary() {
			rank++
		}
		return rank
	}
	first := slices.MinFunc(db.Instances, func(a, b DatabaseInstance) int { return cmp.Compare(rank(a), rank(b)) })
	return first.SID, true
}

// deriveTiers derives the tiers that were not reported. The tier of a site is
// one more than the tier of the site from which it replicates.
func (db *Database) deriveTiers() {
	for i := range db.Instances {
		if db.Instances[i].TierDerived {
			db.Instances[i].Tier = nil
		}
	}
	for {
		tiers := db.tiersBySite()
		derived := false
		for i := range db.Instances {
			instance := &db.Instances[i]
			if !instance.TierDerived || instance.Tier != nil || instance.ActivePrimarySite == nil {
				continue
			}
			if tier, ok := tiers[*instance.ActivePrimarySite]; ok {
				tier++
				instance.Tier, derived = &tier, true
			}
		}
		if !derived {
			return
		}
	}
}

// tiersBySite returns the known tiers by site id; the lowest one of each site.
func (db *Database) tiersBySite() map[int]int {
	tiers := make(map[int]int)
	for i := range db.Instances {
		instance := &db.Instances[i]
		if instance.SiteID == nil || instance.Tier == nil {
			continue
		}
		if tier, ok := tiers[*instance.SiteID]; !ok || *instance.Tier < tier {
			tiers[*instance.SiteID] = *instance.Tier
		}
	}
	return tiers
}
