package landscape

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/page"
)

// cleanupDialog asks whether something should be cleaned up, and lists
// everything that is cleaned up with it.
type cleanupDialog struct {
	Title   string
	Intro   string
	Refusal string // why the thing cannot be cleaned up; then there is no button
	CleanupPlan
	Rest     string // what is not removed
	Typed    string
	Failure  string // why the clean-up failed
	Verb     string
	Action   string
	CloseURL string
}

// CleanupPlan is what a clean-up removes.
type CleanupPlan struct {
	Groups  []cleanupGroup
	Waiting []cleanupGroup // records that are kept, without a page, until the thing they belong to is registered again
	Confirm string         // text that must be typed; empty: none
	Plan    string         // fingerprint of the plan
}

// planChangedText is shown if the plan differs from the one that the reader has
// confirmed.
const planChangedText = "Nothing was cleaned up, because the list has changed since it was shown to you. Please check it again."

// cleanupGroup has the things of one kind in a plan.
type cleanupGroup struct {
	Label  string
	Things []page.Link
}

// cleanup is the clean-up of one thing of any kind.
type cleanup struct {
	dialog       cleanupDialog
	target       landscape.Target
	nameToType   string // text that the reader must type if a whole system is removed
	show         func(status int, d *cleanupDialog) error
	doneMessage  string // message after the clean-up
	nextURL      string // address to redirect to if the thing itself is removed
	mayBePartial bool   // the clean-up may remove only a part of the thing
}

// cleanUpHost answers GET and POST /hosts/{id}/cleanup.
func (s *Pages) cleanUpHost(w http.ResponseWriter, r *http.Request) error {
	id, ok := landscape.ParseID[landscape.HostID](page.PathVar(r, "id"))
	if !ok {
		return fmt.Errorf("host %q: %w", page.PathVar(r, "id"), store.ErrNotFound)
	}
	var host *landscape.Host
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		host, err = tx.Host(id)
		return err
	})
	if err != nil {
		return err
	}
	return s.cleanUp(w, r, &cleanup{
		dialog: cleanupDialog{
			Title: "Clean up data discovered by agent on host " + host.Hostname,
			Intro: "This host, everything its agent has found, and whatever cannot be without it will no longer be tracked.",
			Rest:  "Tags, the selected checks and the activity log are kept. If the agent reports again, the host comes back with them.",
			Verb:  "Clean up host", CloseURL: "/hosts/" + string(id),
		},
		target:      landscape.Target{Host: id},
		nameToType:  host.Hostname,
		show:        func(status int, d *cleanupDialog) error { return s.renderHost(w, r, status, d) },
		doneMessage: "Host " + host.Hostname + " was cleaned up.", nextURL: "/hosts",
	})
}

// cleanUpApplicationInstance answers GET and POST
// /sap_systems/{id}/hosts/{host}/instances/{number}/cleanup.
func (s *Pages) cleanUpApplicationInstance(w http.ResponseWriter, r *http.Request) error {
	id := landscape.SAPSystemID(strings.ToLower(page.PathVar(r, "id")))
	host, number := landscape.HostID(strings.ToLower(page.PathVar(r, "host"))), page.PathVar(r, "number")
	var system *landscape.SAPSystem
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		system, err = tx.SAPSystem(id)
		return err
	})
	if err != nil {
		return err
	}
	return s.cleanUp(w, r, &cleanup{
		dialog: cleanupDialog{
			Title: fmt.Sprintf("Clean up absent instance %s from %s system", number, system.SID),
			Intro: "Without its ASCS instance, or without its last application server, a whole SAP system is removed.",
			Rest:  "Tags and the activity log are kept. If its agent reports the instance again, it comes back.",
			Verb:  "Clean up instance", CloseURL: "/sap_systems/" + string(id),
		},
		target:      landscape.Target{Host: host, SAPSystem: id, Number: number},
		nameToType:  system.SID,
		show:        func(status int, d *cleanupDialog) error { return s.renderSAPSystem(w, r, status, d) },
		doneMessage: fmt.Sprintf("Instance %s of %s was cleaned up.", number, system.SID), nextURL: "/sap_systems", mayBePartial: true,
	})
}

// cleanUpDatabaseInstance answers GET and POST
// /databases/{id}/hosts/{host}/instances/{number}/cleanup.
func (s *Pages) cleanUpDatabaseInstance(w http.ResponseWriter, r *http.Request) error {
	id := landscape.DatabaseID(strings.ToLower(page.PathVar(r, "id")))
	host, number := landscape.HostID(strings.ToLower(page.PathVar(r, "host"))), page.PathVar(r, "number")
	var db *landscape.Database
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		db, err = tx.Database(id)
		return err
	})
	if err != nil {
		return err
	}
	return s.cleanUp(w, r, &cleanup{
		dialog: cleanupDialog{
			Title: fmt.Sprintf("Clean up absent instance %s from %s database", number, db.SID),
			Intro: "Without its last instance, or without its last primary one, a database is removed, together with the SAP systems on it.",
			Rest:  "Tags and the activity log are kept. If its agent reports the instance again, it comes back.",
			Verb:  "Clean up instance", CloseURL: "/databases/" + string(id),
		},
		target:      landscape.Target{Host: host, Database: id, Number: number},
		nameToType:  db.SID,
		show:        func(status int, d *cleanupDialog) error { return s.renderDatabase(w, r, status, d) },
		doneMessage: fmt.Sprintf("Instance %s of %s was cleaned up.", number, db.SID), nextURL: "/databases", mayBePartial: true,
	})
}

// cleanUp shows the plan, and on a POST carries it out if it is still the plan
// that the reader has seen.
func (s *Pages) cleanUp(w http.ResponseWriter, r *http.Request, c *cleanup) error {
	d := &c.dialog
	ownPage := d.CloseURL
	if d.CloseURL, d.Action = page.ReturnFrom(r, ownPage); d.CloseURL != ownPage { // the dialog was opened from a list
		c.nextURL = d.CloseURL
	}
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		d.CleanupPlan, err = PlanCleanup(tx, c.nameToType, c.target)
		return err
	})
	status := http.StatusOK
	switch {
	case d.showRefusal(err):
		if r.Method == http.MethodPost {
			status = http.StatusConflict
		}
		return c.show(status, d)
	case err != nil:
		return err
	case r.Method != http.MethodPost:
		return c.show(status, d)
	}
	d.Typed = r.PostForm.Get("confirm")
	switch {
	case r.PostForm.Get("plan") != d.Plan:
		d.Failure, status = planChangedText, http.StatusConflict
	case d.Confirm != "" && strings.TrimSpace(d.Typed) != strings.TrimSpace(d.Confirm):
		d.Failure, status = "Nothing was changed: this is not the name.", http.StatusUnprocessableEntity
	}
	if d.Failure != "" {
		return c.show(status, d)
	}
	err = s.Store.CleanUp(r.Context(), page.Actor(r.Context()), RequirePlan(d.Plan), c.target)
	switch {
	case errors.Is(err, ErrPlanChanged):
		return s.cleanUp(w, r, c)
	case d.showRefusal(err):
		return c.show(http.StatusConflict, d)
	case err != nil:
		return err
	}
	s.SetFlash(w, r, c.doneMessage)
	next := c.nextURL
	if c.mayBePartial && d.Confirm == "" {
		next = d.CloseURL
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// showRefusal shows why the thing cannot be cleaned up. It returns false for
// any other error, and for a thing that does not exist, because such a thing
// has no page.
func (d *cleanupDialog) showRefusal(err error) bool {
	if !errors.Is(err, landscape.ErrLive) && !errors.Is(err, landscape.ErrPresent) {
		return false
	}
	d.Refusal, d.CleanupPlan = refusalText(err), CleanupPlan{}
	return true
}

// refusalText says why something cannot be cleaned up.
func refusalText(reason error) string {
	switch {
	case errors.Is(reason, landscape.ErrLive):
		return "The agent on this host has just been heard, or the server has just been started and waits for it. Only a host that has fallen silent can be cleaned up: stop the agent first, or it would bring the host back."
	case errors.Is(reason, landscape.ErrPresent):
		return "The host of this instance lists it again. Only an instance that is absent can be cleaned up."
	}
	return "It has gone already, with something else or by somebody else."
}

// PlanCleanup returns what cleaning up these things together removes. name must
// be typed if a whole system is removed.
func PlanCleanup(tx *store.Tx, name string, targets ...landscape.Target) (CleanupPlan, error) {
	changes, err := tx.PlanCleanUp(targets...)
	if err != nil {
		return CleanupPlan{}, err
	}
	return newCleanupPlan(tx, name, changes)
}

// ErrPlanChanged says that a clean-up would remove something else than what was
// confirmed.
var ErrPlanChanged = errors.New("the plan of the clean-up has changed")

// RequirePlan returns a check that a clean-up removes exactly the things of the
// plan with this fingerprint.
func RequirePlan(fingerprint string) func(*store.Tx, *landscape.Changeset) error {
	return func(tx *store.Tx, d *landscape.Changeset) error {
		plan, err := newCleanupPlan(tx, "", d)
		if err == nil && plan.Plan != fingerprint {
			err = ErrPlanChanged
		}
		return err
	}
}

func newCleanupPlan(tx *store.Tx, name string, plan *landscape.Changeset) (CleanupPlan, error) {
	var d CleanupPlan
	waiting := []cleanupGroup{
		{Label: "Application instances that will wait for their database"},
		{Label: "Application instances that will wait for the rest of their system"},
	}
	groups := []cleanupGroup{
		{Label: "Database instances"}, {Label: "Application instances"}, {Label: "HANA databases"}, {Label: "SAP systems"},
		{Label: "Place in the cluster"}, {Label: "Clusters"}, {Label: "Hosts"},
	}
	for _, event := range plan.Events {
		group, whole := -1, false
		var thing page.Link
		var err error
		switch e := event.(type) {
		case *activity.DatabaseInstanceDeregistered:
			group = 0
			thing, err = linkToInstance(tx, plan.Databases.Changed[landscape.DatabaseID(e.DatabaseID)].SID, e.InstanceNumber, e.HostID)
		case *activity.ApplicationInstanceDeregistered:
			group = 1
			thing, err = linkToInstance(tx, plan.SAPSystems.Changed[landscape.SAPSystemID(e.SAPSystemID)].SID, e.InstanceNumber, e.HostID)
		case *activity.ApplicationInstanceSystemLost:
			thing, err := linkToInstance(tx, plan.SAPSystems.Changed[landscape.SAPSystemID(e.SAPSystemID)].SID, e.InstanceNumber, e.HostID)
			if err != nil {
				return CleanupPlan{}, err
			}
			group := &waiting[0]
			if e.WaitsFor == activity.WaitsForSystem {
				group = &waiting[1]
			}
			group.Things = append(group.Things, thing)
			continue
		case *activity.DatabaseDeregistered:
			group, whole, thing = 2, true, page.Link{Name: plan.Databases.Changed[landscape.DatabaseID(e.DatabaseID)].SID, URL: "/databases/" + e.DatabaseID}
		case *activity.SAPSystemDeregistered:
			group, whole, thing = 3, true, page.Link{Name: plan.SAPSystems.Changed[landscape.SAPSystemID(e.SAPSystemID)].SID, URL: "/sap_systems/" + e.SAPSystemID}
		case *activity.HostRemovedFromCluster:
			group, thing = 4, page.LinkToCluster(plan.Clusters.Changed[landscape.ClusterID(e.ClusterID)])
		case *activity.ClusterDeregistered:
			group, whole, thing = 5, true, page.LinkToCluster(plan.Clusters.Changed[landscape.ClusterID(e.ClusterID)])
		case *activity.HostDeregistered:
			group, thing = 6, page.Link{Name: e.Hostname, URL: "/hosts/" + e.HostID}
		}
		if err != nil {
			return CleanupPlan{}, err
		}
		// A cluster that several of the hosts belong to is listed once.
		if group >= 0 && !slices.Contains(groups[group].Things, thing) {
			groups[group].Things = append(groups[group].Things, thing)
		}
		if whole {
			d.Confirm = name
		}
	}
	empty := func(g cleanupGroup) bool { return len(g.Things) == 0 }
	d.Groups, d.Waiting = slices.DeleteFunc(groups, empty), slices.DeleteFunc(waiting, empty)
	fingerprint := sha256.New()
	fmt.Fprintf(fingerprint, "%q%q", d.Groups, d.Waiting)
	d.Plan = hex.EncodeToString(fingerprint.Sum(nil)[:16])
	return d, nil
}

// linkToInstance names an instance of a system and links to its host.
func linkToInstance(tx *store.Tx, sid, number, id string) (page.Link, error) {
	host, err := registeredHost(tx, landscape.HostID(id))
	if err != nil {
		return page.Link{}, err
	}
	if host == nil {
		return page.Link{Name: sid + " " + number}, nil
	}
	return page.Link{Name: fmt.Sprintf("%s %s on %s", sid, number, host.Hostname), URL: "/hosts/" + id}, nil
}
