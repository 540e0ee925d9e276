package activity

import (
	"cmp"
	"fmt"
	"time"
)

// TaggedResource is the resource that a tag was added to or removed from. Only
// the name that belongs to its type is set.
type TaggedResource struct {
	ResourceID   string           `json:"resource_id"`
	ResourceType string           `json:"resource_type"` // "host", "cluster", "database" or "sap_system"
	Hostname     string           `json:"hostname,omitempty"`
	Name         Nullable[string] `json:"name,omitzero"` // of a cluster; nil if it has no name
	SID          string           `json:"sid,omitempty"`
	// CorrelationID is the id that all entries of a change of several resources
	// have. A change of one resource has none.
	CorrelationID string `json:"correlation_id,omitempty"`
}

// Tagged returns the resource for reading and writing.
func (r *TaggedResource) Tagged() *TaggedResource { return r }

// resourceLabels are the labels of the resource types.
var resourceLabels = map[string]string{"host": "Host", "cluster": "Cluster", "database": "Database", "sap_system": "SAP System"}

func (r *TaggedResource) resource() string {
	if label, ok := resourceLabels[r.ResourceType]; ok {
		return label
	}
	return "Unable to determine resource type"
}

// name returns the name of the resource; "" if it has none.
func (r *TaggedResource) name() string {
	switch r.ResourceType {
	case "host":
		return r.Hostname
	case "cluster":
		return emptyIfNil(r.Name.Value)
	case "database", "sap_system":
		return r.SID
	}
	return ""
}

func (r *TaggedResource) displayName() string { return cmp.Or(r.name(), "unrecognized resource") }

// ResourceTagging says that a user has added a tag to a resource.
type ResourceTagging struct {
	TaggedResource
	Tag string `json:"added_tag"`
}

func (*ResourceTagging) Type() Type { return TypeResourceTagging }
func (e *ResourceTagging) message() string {
	return fmt.Sprintf(`Tag "%s" added to %s "%s"`, e.Tag, e.resource(), e.displayName())
}

// ResourceUntagging says that a user has removed a tag from a resource.
type ResourceUntagging struct {
	TaggedResource
	Tag string `json:"removed_tag"`
}

func (*ResourceUntagging) Type() Type { return TypeResourceUntagging }
func (e *ResourceUntagging) message() string {
	return fmt.Sprintf(`Tag "%s" removed from %s "%s"`, e.Tag, e.resource(), e.displayName())
}

// APIKeyGeneration says that the API key of the agents was replaced.
type APIKeyGeneration struct {
	Correlated
	ExpireAt *time.Time `json:"expire_at"` // nil: never
}

func (*APIKeyGeneration) Type() Type { return TypeAPIKeyGeneration }

// MessageCredentialRotation says that agents need another password for messages.
type MessageCredentialRotation struct {
	Correlated
	User string `json:"user"`
}

func (*MessageCredentialRotation) Type() Type { return TypeMessageCredentialRotation }

// BackupDownload is the destination of a backup that a client has downloaded.
const BackupDownload = "download"

// BackupCreation says that a backup was made.
type BackupCreation struct {
	Destination string `json:"destination"` // BackupDownload or a file on the server
	Size        int64  `json:"size"`        // in bytes, of the data
	Encrypted   bool   `json:"encrypted"`
}

func (*BackupCreation) Type() Type { return TypeBackupCreation }

// BackupFailure says that a scheduled backup could not be made. It is logged
// once, until a backup can be made again.
type BackupFailure struct {
	Destination string `json:"destination"` // directory on the server
	Reason      string `json:"reason"`
}

func (*BackupFailure) Type() Type { return TypeBackupFailure }
func (e *BackupFailure) message() string {
	if e.Reason == "" {
		return "Backup could not be made"
	}
	return "Backup could not be made: " + e.Reason
}

// SupportBundleCreation says that a support bundle was made.
type SupportBundleCreation struct {
	Size int64 `json:"size"` // in bytes
}

func (*SupportBundleCreation) Type() Type { return TypeSupportBundleCreation }

// ActivityLogSettingsUpdate says that the retention of the log was set.
type ActivityLogSettingsUpdate struct {
	RetentionTime Retention `json:"retention_time"`
}

func (*ActivityLogSettingsUpdate) Type() Type { return TypeActivityLogSettingsUpdate }

// AlertingSettings are the settings of alerts that a request contained. Fields
// that it did not contain are nil.
type AlertingSettings struct {
	Enabled        *bool    `json:"enabled,omitempty"`
	Sender         *string  `json:"sender_email,omitempty"`
	Recipients     *string  `json:"recipient_email,omitempty"`
	SMTPServer     *string  `json:"smtp_server,omitempty"`
	SMTPPort       *int     `json:"smtp_port,omitempty"`
	SMTPUsername   *string  `json:"smtp_username,omitempty"`
	SMTPPassword   Redacted `json:"smtp_password,omitempty"`
	NotifyRecovery *bool    `json:"notify_recovery,omitempty"`
	// WebhookURL and WebhookSecret are hidden, because both can be secret.
	WebhookURL    Redacted `json:"webhook_url,omitempty"`
	WebhookSecret Redacted `json:"webhook_secret,omitempty"`
}

// AlertingSettingsSaving says that settings of alerts were stored where there
// were none.
type AlertingSettingsSaving struct{ AlertingSettings }

func (*AlertingSettingsSaving) Type() Type { return TypeSavingAlertingSettings }

// AlertingSettingsChange says that the settings of alerts were changed or
// cleared.
type AlertingSettingsChange struct {
	AlertingSettings
	Cleared bool `json:"cleared,omitempty"`
}

func (*AlertingSettingsChange) Type() Type { return TypeChangingAlertingSettings }

// PersonalAccessTokenSettingsUpdate says that the settings of tokens were
// changed. Fields that have not changed are nil.
type PersonalAccessTokenSettingsUpdate struct {
	Enabled                     *bool         `json:"enabled,omitempty"`
	DefaultLifetimeDays         *int          `json:"default_lifetime_days,omitempty"`
	MaxLifetimeDays             Nullable[int] `json:"max_lifetime_days,omitzero"` // null: the limit was removed
	AllowBasic                  *bool         `json:"allow_basic,omitempty"`
	AllowSignIn                 *bool         `json:"allow_sign_in,omitempty"`
	AllowInQuery                *bool         `json:"allow_in_query,omitempty"`
	RequirePasswordConfirmation *bool         `json:"require_password_confirmation,omitempty"`
}

func (*PersonalAccessTokenSettingsUpdate) Type() Type { return TypePersonalAccessTokenSettingsUpdate }
