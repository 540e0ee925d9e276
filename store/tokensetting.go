package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"trento/store/activity"
	"trento/store/fault"
)

const settingTokens = "personal_access_tokens"

// TokenSettings are the settings of personal access tokens on this server.
type TokenSettings struct {
	Enabled                     bool `json:"enabled"`               // false: no token can be created or used
	DefaultLifetimeDays         int  `json:"default_lifetime_days"` // suggested in forms
	MaxLifetimeDays             *int `json:"max_lifetime_days"`     // of new and regenerated tokens; nil: no limit
	AllowBasic                  bool `json:"allow_basic"`           // a token may be the password of HTTP Basic authentication
	AllowSignIn                 bool `json:"allow_sign_in"`         // a token may be the password of a sign-in
	AllowInQuery                bool `json:"allow_in_query"`        // a token may be the query parameter "session"
	RequirePasswordConfirmation bool `json:"require_password_confirmation"`
}

// defaultTokenSettings apply until a user changes the settings.
var defaultTokenSettings = TokenSettings{Enabled: true, DefaultLifetimeDays: 30, AllowBasic: true, RequirePasswordConfirmation: true}

// maxTokenLifetimeDays is the longest lifetime that can be set: a hundred
// years.
const maxTokenLifetimeDays = 36500

// TokenSettings returns the current settings. They are shared and must not be
// modified.
func (tx *Tx) TokenSettings() (*TokenSettings, error) {
	settings, err := getSetting[TokenSettings](tx, settingTokens)
	if errors.Is(err, ErrNotFound) {
		return &defaultTokenSettings, nil
	}
	return settings, err
}

// ChangeTokenSettings replaces the settings. Existing tokens keep their end. It
// fails with a fault of a field.
func (s *Store) ChangeTokenSettings(ctx context.Context, by Actor, after TokenSettings) error {
	if err := after.firstFault(); err != nil {
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
		if err := tx.putSetting(settingTokens, after); err != nil {
			return err
		}
		return tx.log(by.Name, before.changeEvent(&after))
	})
}

// firstFault returns the first fault of the settings, or nil.
func (t *TokenSettings) firstFault() error {
	if faults := t.Faults(); len(faults) > 0 {
		return &faults[0]
	}
	return nil
}

// Faults returns all faults of the settings.
func (t *TokenSettings) Faults() (faults []fault.Error) {
	inRange := func(field string, days int) bool {
		if days >= 1 && days <= maxTokenLifetimeDays {
			return true
		}
		faults = append(faults, fault.Error{Field: field, Detail: fmt.Sprintf("should be from 1 to %d", maxTokenLifetimeDays)})
		return false
	}
	valid := inRange("default_lifetime_days", t.DefaultLifetimeDays)
	if longest := t.MaxLifetimeDays; longest != nil && inRange("max_lifetime_days", *longest) && valid && t.DefaultLifetimeDays > *longest {
		faults = append(faults, fault.Error{Field: "default_lifetime_days", Detail: "should be at most max_lifetime_days"})
	}
	return faults
}

// changeEvent returns the event with the settings that differ in after.
func (t *TokenSettings) changeEvent(after *TokenSettings) *activity.PersonalAccessTokenSettingsUpdate {
	e := &activity.PersonalAccessTokenSettingsUpdate{
		Enabled:                     ifChanged(t.Enabled, after.Enabled),
		DefaultLifetimeDays:         ifChanged(t.DefaultLifetimeDays, after.DefaultLifetimeDays),
		AllowBasic:                  ifChanged(t.AllowBasic, after.AllowBasic),
		AllowSignIn:                 ifChanged(t.AllowSignIn, after.AllowSignIn),
		AllowInQuery:                ifChanged(t.AllowInQuery, after.AllowInQuery),
		RequirePasswordConfirmation: ifChanged(t.RequirePasswordConfirmation, after.RequirePasswordConfirmation),
	}
	if !reflect.DeepEqual(t.MaxLifetimeDays, after.MaxLifetimeDays) {
		e.MaxLifetimeDays = activity.Nullable[int]{Given: true, Value: after.MaxLifetimeDays}
	}
	return e
}

// ifChanged returns the value after a change; nil if it is equal to the value
// before.
func ifChanged[T comparable](before, after T) *T {
	if before == after {
		return nil
	}
	return &after
}
