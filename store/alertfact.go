package store

import (
	"cmp"
	"errors"

	"trento/store/alert"
	"trento/store/landscape"
)

// AlertFacts returns what the landscape says now about each item of a delivery.
func (tx *Tx) AlertFacts(d *alert.Delivery) ([]alert.Facts, error) {
	facts := make([]alert.Facts, len(d.Items))
	for i := range d.Items {
		item, f := &d.Items[i], &facts[i]
		if d.Form == alert.Recovery {
			continue
		}
		now, err := tx.alertOrNil(item.Kind, item.Thing.ID)
		if err != nil {
			return nil, err
		}
		// An alert is forgotten some time after its end.
		if f.Over = now == nil || now.Over(); f.Over && now != nil {
			f.Ended = now.Ended
		}
		if item.Kind != alert.HeartbeatLost {
			continue
		}
		if err := tx.addHostFacts(f, landscape.HostID(item.Thing.ID)); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// addHostFacts adds what runs on a host. It adds nothing if the host was cleaned
// up.
func (tx *Tx) addHostFacts(f *alert.Facts, id landscape.HostID) error {
	host, err := tx.Host(id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if host.ClusterID != "" {
		switch c, err := tx.Cluster(host.ClusterID); {
		case err == nil:
			name := ""
			if c.Name != nil {
				name = *c.Name
			}
			f.Cluster = &alert.Thing{Type: alert.Cluster, ID: string(c.ID), Name: cmp.Or(name, string(c.ID))}
		case !errors.Is(err, ErrNotFound):
			return err
		}
	}
	for _, id := range relatedIDs[landscape.DatabaseID](tx, databaseOnHost, string(id)) {
		db, err := tx.Database(id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		for _, i := range db.Instances {
			if i.HostID == host.ID {
				f.Instances = append(f.Instances, alert.Instance{System: alert.Thing{Type: alert.Database, ID: string(db.ID), Name: i.SID}, Number: i.Number})
			}
		}
	}
	for _, id := range relatedIDs[landscape.SAPSystemID](tx, sapSystemOnHost, string(id)) {
		system, err := tx.SAPSystem(id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		for _, i := range system.Instances {
			if i.HostID == host.ID {
				f.Instances = append(f.Instances, alert.Instance{System: alert.Thing{Type: alert.SAPSystem, ID: string(system.ID), Name: i.SID}, Number: i.Number})
			}
		}
	}
	return nil
}
