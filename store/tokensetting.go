package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"trento/store/activity"
	"trento/store/fault"
)

const keyTokenSettings = "personal_access_tokens"

// TokenSettings say what personal access tokens are good for on this server.
type TokenSettings struct {
	Enabled                     bool `json:"enabled"`               // off: none can be made or used
	DefaultLifetimeDays         int  `json:"default_lifetime_days"` // what forms suggest
	MaxLifetimeDays             *int `json:"max_lifetime_days"`     // of new and regenerated ones; nil: no limit
	AllowBasic                  bool `json:"allow_basic"`           // as the password of HTTP Basic
	AllowSignIn                 bool `json:"allow_sign_in"`         // as the password of a sign-in
	AllowInQuery                bool `json:"allow_in_query"`        // as the parameter "session"
	RequirePasswordConfirmation bool `json:"require_password_confirmation"`
}

// defaultTokenSettings hold until somebody changes them.
var defaultTokenSettings = TokenSettings{Enabled: true, DefaultLifetimeDays: 30, AllowBasic: true, RequirePasswordConfirmation: true}

// maxTokenDays is the longest lifetime that can be set: a hundred years.
const maxTokenDays = 36500

// TokenSettings returns the settings in force. They are shared and must not be
// modified.
func (tx *Tx) TokenSettings() (*TokenSettings, error) {
	settings, err := getSetting[TokenSettings](tx, keyTokenSettings)
	if errors.Is(err, ErrNotFound) {
		return &defaultTokenSettings, nil
	}
	return settings, err
}

// ChangeTokenSettings replaces the settings. Tokens that exist keep their end.
// It fails with a fault of a field.
func (s *Store) ChangeTokenSettings(ctx context.Context, by Actor, after TokenSettings) error {
	if err := after.check(); err != nil {
		return err
	}
	return s.update(ctx, by, func(tx *Tx) error {
		before, err := tx.TokenSettings()
		if err != nil {
			return err
		}
		if reflect.DeepEqual(before, &after) {
			return nil
		}
		if err := tx.putSetting(keyTokenSettings, after); err != nil {
			return err
		}
		return tx.log(by.Name, before.changeTo(&after))
	})
}

// check fails with the first fault.
func (t *TokenSettings) check() error {
	if faults := t.Faults(); len(faults) > 0 {
		return &faults[0]
	}
	return nil
}

// Faults are all that is wrong with the settings.
func (t *TokenSettings) Faults() (faults []fault.Error) {
	inRange := func(field string, days int) bool {
		if days >= 1 && days <= maxTokenDays {
			return true
		}
		faults = append(faults, fault.Error{Field: field, Detail: fmt.Sprintf("should be from 1 to %d", maxTokenDays)})
		return false
	}
	valid := inRange("default_lifetime_days", t.DefaultLifetimeDays)
	if longest := t.MaxLifetimeDays; longest != nil && inRange("max_lifetime_days", *longest) && valid && t.DefaultLifetimeDays > *longest {
		faults = append(faults, fault.Error{Field: "default_lifetime_days", Detail: "should be at most max_lifetime_days"})
	}
	return faults
}

// changeTo is what is other in after.
func (t *TokenSettings) changeTo(after *TokenSettings) *activity.PersonalAccessTokenSettingsUpdate {
	e := &activity.PersonalAccessTokenSettingsUpdate{
		Enabled:                     changed(t.Enabled, after.Enabled),
		DefaultLifetimeDays:         changed(t.DefaultLifetimeDays, after.DefaultLifetimeDays),
		AllowBasic:                  changed(t.AllowBasic, after.AllowBasic),
		AllowSignIn:                 changed(t.AllowSignIn, after.AllowSignIn),
		AllowInQuery:                changed(t.AllowInQuery, after.AllowInQuery),
		RequirePasswordConfirmation: changed(t.RequirePasswordConfirmation, after.RequirePasswordConfirmation),
	}
	if !reflect.DeepEqual(t.MaxLifetimeDays, after.MaxLifetimeDays) {
		e.MaxLifetimeDays = activity.Nullable[int]{Given: true, Value: after.MaxLifetimeDays}
	}
	return e
}

// changed is the value after a change; nil where it is that before it.
func changed[T comparable](before, after T) *T {
	if before == after {
		return nil
	}
	return &after
}
