package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"trento/store/activity"
	"trento/store/check"
	"trento/store/fault"
)

// Waiver says that failures of a check on a cluster or host do not count until
// some time.
type Waiver struct {
	ID        string            `json:"id"`
	GroupID   string            `json:"group_id"`
	Kind      check.SubjectKind `json:"target_type"`
	CheckID   string            `json:"check_id"`
	AgentID   string            `json:"agent_id,omitempty"` // "": on all hosts
	Reason    string            `json:"reason"`
	Until     time.Time         `json:"until"`
	By        string            `json:"by"` // who created or changed it last
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
}

// The limits of waivers.
const (
	MaxWaiverDays   = 365
	MaxWaiverReason = 500 // characters
	maxWaivers      = 1000
)

// Waiver returns a waiver, or ErrNotFound. It is shared and must not be modified.
func (tx *Tx) Waiver(id string) (*Waiver, error) { return tx.s.waivers.Get(tx.kv, []byte(id)) }

// Waivers returns all waivers, ordered by their end. They are shared and must not
// be modified.
func (tx *Tx) Waivers() ([]*Waiver, error) {
	var all []*Waiver
	for w, err := range tx.s.waivers.All(tx.kv) {
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	slices.SortStableFunc(all, func(a, b *Waiver) int { return a.Until.Compare(b.Until) })
	return all, nil
}

// WaiversOf returns the waivers of a cluster or host that have not ended, ordered
// by their end.
func (tx *Tx) WaiversOf(group string) ([]*Waiver, error) {
	all, err := tx.Waivers()
	return slices.DeleteFunc(all, func(w *Waiver) bool { return w.GroupID != group || !w.Until.After(tx.now) }), err
}

// check returns the waiver as evaluation needs it.
func (w *Waiver) check() check.Waiver {
	return check.Waiver{CheckID: w.CheckID, AgentID: w.AgentID, Reason: w.Reason, By: w.By, Until: w.Until}
}

// WaiversInForce returns the waivers of a group for an evaluation.
func (tx *Tx) WaiversInForce(group string) ([]check.Waiver, error) {
	all, err := tx.WaiversOf(group)
	var inForce []check.Waiver
	for _, w := range all {
		inForce = append(inForce, w.check())
	}
	return inForce, err
}

// checkWaiver checks what a user says about a waiver.
func checkWaiver(w *Waiver, now time.Time) error {
	var faults fault.Errors
	add := func(field, detail string) { faults = append(faults, fault.Error{Field: field, Detail: detail}) }
	if detail := CheckName(w.Reason); detail != "" {
		add("reason", detail)
	}
	switch {
	case w.Reason == "":
		add("reason", "can't be blank")
	case utf8.RuneCountInString(w.Reason) > MaxWaiverReason:
		add("reason", fmt.Sprintf("should be at most %d character(s)", MaxWaiverReason))
	}
	switch {
	case w.CheckID == "":
		add("check_id", "can't be blank")
	case len(w.CheckID) > maxCheckIDBytes:
		add("check_id", "is too long")
	}
	switch {
	case !w.Until.After(now):
		add("until", "must be in the future")
	case w.Until.After(now.AddDate(0, 0, MaxWaiverDays)):
		add("until", fmt.Sprintf("must be within %d days", MaxWaiverDays))
	}
	return faults.Err()
}

// CreateWaiver stores a new waiver. It fails with ErrNotFound if the cluster or
// host is not registered, or with faults of reason, check_id, agent_id or until.
func (s *Store) CreateWaiver(ctx context.Context, by Actor, given Waiver) (*Waiver, error) {
	var created *Waiver
	err := s.update(ctx, by, func(tx *Tx) error {
		w := given
		w.Reason = strings.TrimSpace(w.Reason)
		subject, err := tx.CheckSubject(w.Kind, w.GroupID)
		if err != nil {
			return err
		}
		if w.AgentID != "" && !slices.ContainsFunc(subject.Hosts, func(h check.SubjectHost) bool { return h.AgentID == w.AgentID }) {
			return fault.Field("agent_id", "is not a host of the cluster")
		}
		if err := checkWaiver(&w, tx.now); err != nil {
			return err
		}
		all, err := tx.Waivers()
		if err != nil {
			return err
		}
		if len(all) >= maxWaivers {
			return &fault.Error{Kind: fault.Conflict, Detail: fmt.Sprintf("There can be %d waivers. End one first.", maxWaivers)}
		}
		if slices.ContainsFunc(all, func(o *Waiver) bool {
			return o.GroupID == w.GroupID && o.CheckID == w.CheckID && o.AgentID == w.AgentID && o.Until.After(tx.now)
		}) {
			return fault.Field("check_id", "is waived already")
		}
		w.ID, w.By, w.CreatedAt, w.UpdatedAt = uuid.NewString(), by.Name, tx.now, tx.now
		created = &w
		return errors.Join(tx.s.waivers.Put(tx.kv, []byte(w.ID), created), tx.log(by.Name, &activity.CheckWaiverCreation{WaivedCheck: tx.waivedCheck(created)}))
	})
	return created, err
}

// ChangeWaiver gives a waiver another reason and end. It fails with ErrNotFound,
// or with faults of reason or until.
func (s *Store) ChangeWaiver(ctx context.Context, by Actor, id, reason string, until time.Time) (*Waiver, error) {
	var after *Waiver
	err := s.update(ctx, by, func(tx *Tx) error {
		before, err := tx.Waiver(id)
		if err != nil {
			return err
		}
		w := *before
		w.Reason, w.Until, w.By, w.UpdatedAt = strings.TrimSpace(reason), until, by.Name, tx.now
		after = &w
		if err := checkWaiver(after, tx.now); err != nil || w.Reason == before.Reason && w.Until.Equal(before.Until) {
			return err
		}
		return errors.Join(tx.s.waivers.Put(tx.kv, []byte(id), after), tx.log(by.Name, &activity.CheckWaiverModification{WaivedCheck: tx.waivedCheck(after)}))
	})
	return after, err
}

// EndWaiver ends a waiver, so that failures count from the next execution on. It
// fails with ErrNotFound.
func (s *Store) EndWaiver(ctx context.Context, by Actor, id string) error {
	return s.update(ctx, by, func(tx *Tx) error {
		w, err := tx.Waiver(id)
		if err != nil {
			return err
		}
		return tx.endWaiver(w, false)
	})
}

// EndExpiredWaivers ends the waivers whose time is over.
func (s *Store) EndExpiredWaivers(ctx context.Context) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		all, err := tx.Waivers()
		for _, w := range all {
			if !w.Until.After(tx.now) {
				tx.by.Correlation = ""
				err = errors.Join(err, tx.endWaiver(w, true))
			}
		}
		return err
	})
}

func (tx *Tx) endWaiver(w *Waiver, expired bool) error {
	return errors.Join(tx.s.waivers.Delete(tx.kv, []byte(w.ID)), tx.log(tx.by.Name, &activity.CheckWaiverEnd{WaivedCheck: tx.waivedCheck(w), Expired: expired}))
}

func (tx *Tx) waivedCheck(w *Waiver) activity.WaivedCheck {
	return activity.WaivedCheck{
		CheckedThing: tx.checkedThing(w.Kind, w.GroupID), WaiverID: w.ID, CheckID: w.CheckID, AgentID: w.AgentID, Reason: w.Reason, Until: w.Until,
	}
}

// verifyWaivers checks that each waiver can be read and has an end.
func (tx *Tx) verifyWaivers() error {
	for w, err := range tx.s.waivers.All(tx.kv) {
		if err != nil {
			return err
		}
		if !tx.s.waivers.Has(tx.kv, []byte(w.ID)) || w.Until.IsZero() {
			return fmt.Errorf("waiver %q is damaged", w.ID)
		}
	}
	return nil
}
