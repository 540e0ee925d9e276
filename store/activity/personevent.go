package activity

import (
	"fmt"
	"strings"
	"time"
)

// LoginAttempt tells of a sign-in. One that failed has a Reason.
type LoginAttempt struct {
	TokenID  string `json:"token_id,omitempty"` // of the token that was the password
	Username string `json:"username,omitempty"` // the name that was given, where it failed
	Reason   string `json:"reason,omitempty"`
	Provider string `json:"provider,omitempty"` // the identity provider, with single sign-on

	// Refused is how many sign-ins the entry stands for that were refused before
	// anybody looked at their passwords; with some of the names that were given
	// and of the addresses that they came from.
	Refused   int      `json:"refused,omitempty"`
	Usernames []string `json:"usernames,omitzero"`
	Addresses []string `json:"addresses,omitzero"`
}

func (*LoginAttempt) Type() Type { return TypeLoginAttempt }
func (e *LoginAttempt) message() string {
	switch {
	case e.Refused > 0:
		return fmt.Sprintf("%d sign-in(s) refused unseen, because too many came at once", e.Refused)
	case e.Reason != "" && e.Provider != "":
		return "Login failed: " + strings.TrimSuffix(e.Reason, ".")
	case e.Reason != "":
		return "Login failed"
	case e.Provider != "":
		return "User logged in through the identity provider"
	}
	return "User logged in"
}
func (e *LoginAttempt) severity() Severity {
	if e.Reason != "" {
		return Warning
	}
	return Info
}

// AccountRequest is what a request says about an account. What is nil it did
// not say.
type AccountRequest struct {
	Fullname             *string  `json:"fullname,omitempty"`
	Email                *string  `json:"email,omitempty"`
	Timezone             *string  `json:"timezone,omitempty"`
	Password             Redacted `json:"password,omitempty"`
	PasswordConfirmation Redacted `json:"password_confirmation,omitempty"`
}

// Ability is an ability as the log shows it.
type Ability struct {
	ID       int    `json:"id"`
	Label    string `json:"label"`
	Name     string `json:"name"`
	Resource string `json:"resource"`
}

// UserCreation tells of a new user. The first one nobody has asked for.
type UserCreation struct {
	AboutUser
	AccountRequest
	Enabled   *bool      `json:"enabled,omitempty"`
	Abilities *[]Ability `json:"abilities,omitempty"`
	Provider  string     `json:"provider,omitempty"` // the identity provider whose person it is, at the first sign-in
}

func (*UserCreation) Type() Type { return TypeUserCreation }
func (e *UserCreation) message() string {
	if e.Provider != "" {
		return fmt.Sprintf("User %s was created by the identity provider, at the first sign-in", e.Username)
	}
	return "User was created"
}

// UserModification tells what somebody who manages users has changed of one.
type UserModification struct {
	AboutUser
	AccountRequest
	Enabled       *bool      `json:"enabled,omitempty"`
	Abilities     *[]Ability `json:"abilities,omitempty"`
	TOTPDisabled  bool       `json:"totp_disabled,omitempty"`
	SessionsEnded int        `json:"sessions_ended,omitempty"`
	// Provider is the identity provider that says so, at a sign-in.
	Provider string `json:"provider,omitempty"`
}

func (*UserModification) Type() Type { return TypeUserModification }
func (e *UserModification) message() string {
	if e.Provider != "" {
		return fmt.Sprintf("User %s was modified by the identity provider, at a sign-in", e.Username)
	}
	return "User was modified"
}

// UserDeletion tells that a user was deleted.
type UserDeletion struct{ AboutUser }

func (*UserDeletion) Type() Type { return TypeUserDeletion }

// ProfileUpdate tells what users have changed of themselves.
type ProfileUpdate struct {
	AboutUser
	AccountRequest
	CurrentPassword       Redacted `json:"current_password,omitempty"`
	AnalyticsEnabled      *bool    `json:"analytics_enabled,omitempty"`
	AnalyticsEULAAccepted *bool    `json:"analytics_eula_accepted,omitempty"`
	TOTPEnabled           *bool    `json:"totp_enabled,omitempty"`
	SessionsEnded         int      `json:"sessions_ended,omitempty"`
}

func (*ProfileUpdate) Type() Type { return TypeProfileUpdate }

// PersonalAccessTokenCreation tells of a new token.
type PersonalAccessTokenCreation struct {
	ID                     string     `json:"id"`
	Name                   string     `json:"name"`
	Scopes                 []string   `json:"scopes"`
	MayGrantAdministration bool       `json:"may_grant_administration,omitempty"`
	ExpiresAt              *time.Time `json:"expires_at,omitempty"`
}

func (*PersonalAccessTokenCreation) Type() Type { return TypePersonalAccessTokenCreation }

// PersonalAccessTokenModification tells what was changed of a token. What is
// nil stayed as it was.
type PersonalAccessTokenModification struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"` // as it is now
	Description *string    `json:"description,omitempty"`
	Scopes      []string   `json:"scopes,omitempty"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	TokenOwner
}

func (*PersonalAccessTokenModification) Type() Type { return TypePersonalAccessTokenModification }

// PersonalAccessTokenRegeneration tells that a token has another text.
type PersonalAccessTokenRegeneration struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	TokenOwner
}

func (*PersonalAccessTokenRegeneration) Type() Type { return TypePersonalAccessTokenRegeneration }

// PersonalAccessTokenExpiration tells that somebody has ended a token.
type PersonalAccessTokenExpiration struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	TokenOwner
}

func (*PersonalAccessTokenExpiration) Type() Type { return TypePersonalAccessTokenExpiration }

// TokenOwner is the owner of a token that another user has changed. It is empty
// if the owner has changed it.
type TokenOwner struct {
	UserID   int64  `json:"user_id,omitempty"`
	Username string `json:"username,omitempty"`
}

// User returns the owner.
func (o *TokenOwner) User() AboutUser { return AboutUser(*o) }

func (o *TokenOwner) resource() string {
	if o.UserID != 0 {
		return "User"
	}
	return "Profile"
}

// PersonalAccessTokenDeletion tells that the owner of a token has deleted it.
type PersonalAccessTokenDeletion struct {
	TokenID string `json:"token_id"`
	Name    string `json:"name"`
}

func (*PersonalAccessTokenDeletion) Type() Type { return TypePersonalAccessTokenDeletion }

// PersonalAccessTokenAdminDeletion tells that somebody who manages users has
// deleted a token of one.
type PersonalAccessTokenAdminDeletion struct {
	AboutUser
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (*PersonalAccessTokenAdminDeletion) Type() Type { return TypePersonalAccessTokenAdminDeletion }
