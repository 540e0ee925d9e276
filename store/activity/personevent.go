package activity

import (
	"fmt"
	"strings"
	"time"
)

// LoginAttempt says that a user has signed in, or has failed to. A failed
// sign-in has a Reason.
type LoginAttempt struct {
	TokenID  string `json:"token_id,omitempty"` // the token that was used as the password
	Username string `json:"username,omitempty"` // the name that was entered, if the sign-in failed
	Reason   string `json:"reason,omitempty"`
	Provider string `json:"provider,omitempty"` // the identity provider, with single sign-on

	// Refused is the number of sign-ins that were refused before their
	// passwords were checked, if the entry is about such sign-ins. Usernames
	// and Addresses are some of the entered names and of the addresses of the
	// clients.
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

// AccountRequest holds the fields of a request about a user. Fields that the
// request did not contain are nil.
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

// UserCreation says that a user was created. The first user is created by the
// system.
type UserCreation struct {
	AboutUser
	AccountRequest
	Enabled   *bool      `json:"enabled,omitempty"`
	Abilities *[]Ability `json:"abilities,omitempty"`
	Provider  string     `json:"provider,omitempty"` // the identity provider of a user who was created at the first sign-in
}

func (*UserCreation) Type() Type { return TypeUserCreation }
func (e *UserCreation) message() string {
	if e.Provider != "" {
		return fmt.Sprintf("User %s was created by the identity provider, at the first sign-in", e.Username)
	}
	return "User was created"
}

// UserModification says that a user was changed by another user, or by an
// identity provider.
type UserModification struct {
	AboutUser
	AccountRequest
	Enabled       *bool      `json:"enabled,omitempty"`
	Abilities     *[]Ability `json:"abilities,omitempty"`
	TOTPDisabled  bool       `json:"totp_disabled,omitempty"`
	SessionsEnded int        `json:"sessions_ended,omitempty"`
	// Provider is the identity provider whose data has changed the user at a
	// sign-in; "" if a user has made the change.
	Provider string `json:"provider,omitempty"`
}

func (*UserModification) Type() Type { return TypeUserModification }
func (e *UserModification) message() string {
	if e.Provider != "" {
		return fmt.Sprintf("User %s was modified by the identity provider, at a sign-in", e.Username)
	}
	return "User was modified"
}

// UserDeletion says that a user was deleted.
type UserDeletion struct{ AboutUser }

func (*UserDeletion) Type() Type { return TypeUserDeletion }

// ProfileUpdate says that a user has changed their own account.
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

// PersonalAccessTokenCreation says that a token was created.
type PersonalAccessTokenCreation struct {
	ID                     string     `json:"id"`
	Name                   string     `json:"name"`
	Scopes                 []string   `json:"scopes"`
	MayGrantAdministration bool       `json:"may_grant_administration,omitempty"`
	ExpiresAt              *time.Time `json:"expires_at,omitempty"`
}

func (*PersonalAccessTokenCreation) Type() Type { return TypePersonalAccessTokenCreation }

// PersonalAccessTokenModification says that a token was changed. Fields that
// have not changed are nil.
type PersonalAccessTokenModification struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"` // the present name
	Description *string    `json:"description,omitempty"`
	Scopes      []string   `json:"scopes,omitempty"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	TokenOwner
}

func (*PersonalAccessTokenModification) Type() Type { return TypePersonalAccessTokenModification }

// PersonalAccessTokenRegeneration says that a token has a new text.
type PersonalAccessTokenRegeneration struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	TokenOwner
}

func (*PersonalAccessTokenRegeneration) Type() Type { return TypePersonalAccessTokenRegeneration }

// PersonalAccessTokenExpiration says that a user has ended a token.
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

// PersonalAccessTokenDeletion says that the owner of a token has deleted it.
type PersonalAccessTokenDeletion struct {
	TokenID string `json:"token_id"`
	Name    string `json:"name"`
}

func (*PersonalAccessTokenDeletion) Type() Type { return TypePersonalAccessTokenDeletion }

// PersonalAccessTokenAdminDeletion says that a user manager has deleted a token
// of another user.
type PersonalAccessTokenAdminDeletion struct {
	AboutUser
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (*PersonalAccessTokenAdminDeletion) Type() Type { return TypePersonalAccessTokenAdminDeletion }
