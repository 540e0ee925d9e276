package activity

import (
	"cmp"
	"fmt"
	"time"
)

// TaggedResource is the thing that a tag was put on or taken off. It has the
// one name that its type has.
type TaggedResource struct {
	ResourceID   string           `json:"resource_id"`
	ResourceType string           `json:"resource_type"` // "host", "cluster", "database" or "sap_system"
	Hostname     string           `json:"hostname,omitempty"`
	Name         Nullable[string] `json:"name,omitzero"` // of a cluster, which may have none
	SID          string           `json:"sid,omitempty"`
}

// Tagged leads to the thing.
func (r *TaggedResource) Tagged() *TaggedResource { return r }

// resourceLabels are what people call the types of resources that entries name.
var resourceLabels = map[string]string{"host": "Host", "cluster": "Cluster", "database": "Database", "sap_system": "SAP System"}

func (r *TaggedResource) resource() string {
	if label, ok := resourceLabels[r.ResourceType]; ok {
		return label
	}
	return "Unable to determine resource type"
}

// name is empty where the thing has none.
func (r *TaggedResource) name() string {
	switch r.ResourceType {
	case "host":
		return r.Hostname
	case "cluster":
		return orEmpty(r.Name.Value)
	case "database", "sap_system":
		return r.SID
	}
	return ""
}

func (r *TaggedResource) displayName() string { return cmp.Or(r.name(), "unrecognized resource") }

// ResourceTagging tells that somebody has put a tag on a thing.
type ResourceTagging struct {
	TaggedResource
	Tag string `json:"added_tag"`
}

func (*ResourceTagging) Type() Type { return TypeResourceTagging }
func (e *ResourceTagging) message() string {
	return fmt.Sprintf(`Tag "%s" added to %s "%s"`, e.Tag, e.resource(), e.displayName())
}

// ResourceUntagging tells that somebody has taken a tag off a thing.
type ResourceUntagging struct {
	TaggedResource
	Tag string `json:"removed_tag"`
}

func (*ResourceUntagging) Type() Type { return TypeResourceUntagging }
func (e *ResourceUntagging) message() string {
	return fmt.Sprintf(`Tag "%s" removed from %s "%s"`, e.Tag, e.resource(), e.displayName())
}

// APIKeyGeneration tells that the agents need another key.
type APIKeyGeneration struct {
	Correlated
	ExpireAt *time.Time `json:"expire_at"` // nil: never
}

func (*APIKeyGeneration) Type() Type { return TypeAPIKeyGeneration }

// ActivityLogSettingsUpdate tells how long entries are kept.
type ActivityLogSettingsUpdate struct {
	RetentionTime Retention `json:"retention_time"`
}

func (*ActivityLogSettingsUpdate) Type() Type { return TypeActivityLogSettingsUpdate }

// PersonalAccessTokenSettingsUpdate tells what was changed of the settings of
// tokens. What is nil stayed as it was.
type PersonalAccessTokenSettingsUpdate struct {
	Enabled                     *bool         `json:"enabled,omitempty"`
	DefaultLifetimeDays         *int          `json:"default_lifetime_days,omitempty"`
	MaxLifetimeDays             Nullable[int] `json:"max_lifetime_days,omitzero"` // null: no limit any more
	AllowBasic                  *bool         `json:"allow_basic,omitempty"`
	AllowSignIn                 *bool         `json:"allow_sign_in,omitempty"`
	AllowInQuery                *bool         `json:"allow_in_query,omitempty"`
	RequirePasswordConfirmation *bool         `json:"require_password_confirmation,omitempty"`
}

func (*PersonalAccessTokenSettingsUpdate) Type() Type { return TypePersonalAccessTokenSettingsUpdate }
