package page

import (
	"trento/store"
	"trento/store/landscape"
)

func TagValues(tx *store.Tx, kind store.TagKind, id string) ([]string, error) {
	tags, err := tx.Tags(kind, id)
	if err != nil || len(tags) == 0 {
		return nil, err
	}
	values := make([]string, len(tags))
	for i, tag := range tags {
		values[i] = tag.Value
	}
	return values, nil
}

// Taggable is a kind of thing that can have tags.
type Taggable struct {
	Kind    store.TagKind
	Path    string // path of the list, and prefix of the pages of its things
	Noun    string
	Ability string // to add and remove tags
	// Name returns the name of the thing with an id, or store.ErrNotFound.
	Name func(tx *store.Tx, id string) (string, error)
}

// The kinds of things with tags.
var (
	HostTags = Taggable{store.HostTag, "/hosts", "host", "all:host_tags", func(tx *store.Tx, id string) (string, error) {
		h, err := tx.Host(landscape.HostID(id))
		if err != nil {
			return "", err
		}
		return h.Hostname, nil
	}}
	ClusterTags = Taggable{store.ClusterTag, "/clusters", "cluster", "all:cluster_tags", func(tx *store.Tx, id string) (string, error) {
		c, err := tx.Cluster(landscape.ClusterID(id))
		if err != nil {
			return "", err
		}
		return ClusterName(c), nil
	}}
	DatabaseTags = Taggable{store.DatabaseTag, "/databases", "HANA database", "all:database_tags", func(tx *store.Tx, id string) (string, error) {
		db, err := tx.Database(landscape.DatabaseID(id))
		if err != nil {
			return "", err
		}
		return db.SID, nil
	}}
	SAPSystemTags = Taggable{store.SAPSystemTag, "/sap_systems", "SAP system", "all:sap_system_tags", func(tx *store.Tx, id string) (string, error) {
		system, err := tx.SAPSystem(landscape.SAPSystemID(id))
		if err != nil {
			return "", err
		}
		return system.SID, nil
	}}
)
