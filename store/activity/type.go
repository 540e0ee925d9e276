package activity

// Type names what an entry is about. The names are wire data; the catalogue
// says how each reads.
type Type string

// Sign-in and user management.
const (
	LoginAttempt                     Type = "login_attempt"
	UserCreation                     Type = "user_creation"
	UserModification                 Type = "user_modification"
	UserDeletion                     Type = "user_deletion"
	ProfileUpdate                    Type = "profile_update"
	PersonalAccessTokenCreation      Type = "personal_access_token_creation"
	PersonalAccessTokenDeletion      Type = "personal_access_token_deletion"
	PersonalAccessTokenAdminDeletion Type = "personal_access_token_admin_deletion"
	PersonalAccessTokenModification  Type = "personal_access_token_modification"
	PersonalAccessTokenRegeneration  Type = "personal_access_token_regeneration"
	PersonalAccessTokenExpiration    Type = "personal_access_token_expiration"
	AIConfigurationCreation          Type = "ai_configuration_creation"
	AIConfigurationModification      Type = "ai_configuration_modification"
	AIConfigurationDeletion          Type = "ai_configuration_deletion"
)

// Settings, tags, checks and clean-up.
const (
	ResourceTagging                   Type = "resource_tagging"
	ResourceUntagging                 Type = "resource_untagging"
	APIKeyGeneration                  Type = "api_key_generation"
	SavingSUMASettings                Type = "saving_suma_settings"
	ChangingSUMASettings              Type = "changing_suma_settings"
	ClearingSUMASettings              Type = "clearing_suma_settings"
	SavingAlertingSettings            Type = "saving_alerting_settings"
	ChangingAlertingSettings          Type = "changing_alerting_settings"
	ActivityLogSettingsUpdate         Type = "activity_log_settings_update"
	PersonalAccessTokenSettingsUpdate Type = "personal_access_token_settings_update"
	ClusterChecksSelected             Type = "cluster_checks_selected"
	HostChecksSelected                Type = "host_checks_selected"
	ClusterChecksExecutionRequest     Type = "cluster_checks_execution_request"
	HostChecksExecutionRequest        Type = "host_checks_execution_request"
	HostCleanupRequested              Type = "host_cleanup_requested"
	SAPSystemCleanupRequested         Type = "sap_system_cleanup_requested"
	DatabaseCleanupRequested          Type = "database_cleanup_requested"
)

// Operations.
const (
	HostOperationRequested                Type = "host_operation_requested"
	ClusterOperationRequested             Type = "cluster_operation_requested"
	ClusterHostOperationRequested         Type = "cluster_host_operation_requested"
	ApplicationInstanceOperationRequested Type = "application_instance_operation_requested"
	SAPSystemOperationRequested           Type = "sap_system_operation_requested"
	DatabaseOperationRequested            Type = "database_operation_requested"
	OperationCompleted                    Type = "operation_completed"
)

// Check customization.
const (
	CheckCustomizationApplied Type = "check_customization_applied"
	CheckCustomizationReset   Type = "check_customization_reset"
)

// Host events.
const (
	HeartbeatFailed                   Type = "heartbeat_failed"
	HeartbeatSucceeded                Type = "heartbeat_succeeded"
	HostRegistered                    Type = "host_registered"
	HostDetailsUpdated                Type = "host_details_updated"
	HostHealthChanged                 Type = "host_health_changed"
	HostChecksHealthChanged           Type = "host_checks_health_changed"
	HostSaptuneHealthChanged          Type = "host_saptune_health_changed"
	SoftwareUpdatesHealthChanged      Type = "software_updates_health_changed"
	SoftwareUpdatesDiscoveryRequested Type = "software_updates_discovery_requested"
	SoftwareUpdatesDiscoveryCleared   Type = "software_updates_discovery_cleared"
	ProviderUpdated                   Type = "provider_updated"
	SaptuneStatusUpdated              Type = "saptune_status_updated"
	SLESSubscriptionsUpdated          Type = "sles_subscriptions_updated"
	HostIDShared                      Type = "host_id_shared"
	HostIDUnshared                    Type = "host_id_unshared"
	HostDeregistrationRequested       Type = "host_deregistration_requested"
	HostDeregistered                  Type = "host_deregistered"
	HostRestored                      Type = "host_restored"
	AgentReportFaulty                 Type = "agent_report_faulty"
	AgentReportRecovered              Type = "agent_report_recovered"
)

// Cluster events.
const (
	ClusterRegistered               Type = "cluster_registered"
	ClusterDetailsUpdated           Type = "cluster_details_updated"
	ClusterHealthChanged            Type = "cluster_health_changed"
	ClusterChecksHealthChanged      Type = "cluster_checks_health_changed"
	ClusterReplicationHealthChanged Type = "cluster_replication_health_changed"
	ClusterDistributedHealthChanged Type = "cluster_distributed_health_changed"
	ClusterSBDHealthChanged         Type = "cluster_sbd_health_changed"
	ClusterDiscoveredHealthChanged  Type = "cluster_discovered_health_changed"
	HostAddedToCluster              Type = "host_added_to_cluster"
	HostRemovedFromCluster          Type = "host_removed_from_cluster"
	ClusterHostStatusChanged        Type = "cluster_host_status_changed"
	ClusterDataMarkedStale          Type = "cluster_data_marked_stale"
	ClusterDataMarkedInSync         Type = "cluster_data_marked_in_sync"
	ClusterDeregistered             Type = "cluster_deregistered"
	ClusterRestored                 Type = "cluster_restored"
)

// SAP system and application instance events.
const (
	ApplicationInstanceRegistered       Type = "application_instance_registered"
	ApplicationInstanceMoved            Type = "application_instance_moved"
	ApplicationInstanceStatusChanged    Type = "application_instance_status_changed"
	ApplicationInstanceMarkedAbsent     Type = "application_instance_marked_absent"
	ApplicationInstanceMarkedPresent    Type = "application_instance_marked_present"
	ApplicationInstanceDataMarkedStale  Type = "application_instance_data_marked_stale"
	ApplicationInstanceDataMarkedInSync Type = "application_instance_data_marked_in_sync"
	ApplicationInstanceSystemLost       Type = "application_instance_system_lost"
	ApplicationInstanceDeregistered     Type = "application_instance_deregistered"
	SAPSystemRegistered                 Type = "sap_system_registered"
	SAPSystemUpdated                    Type = "sap_system_updated"
	SAPSystemHealthChanged              Type = "sap_system_health_changed"
	SAPSystemDatabaseHealthChanged      Type = "sap_system_database_health_changed"
	SAPSystemDataMarkedStale            Type = "sap_system_data_marked_stale"
	SAPSystemDataMarkedInSync           Type = "sap_system_data_marked_in_sync"
	SAPSystemDeregistered               Type = "sap_system_deregistered"
	SAPSystemRestored                   Type = "sap_system_restored"
)

// Database events.
const (
	DatabaseRegistered                       Type = "database_registered"
	DatabaseUpdated                          Type = "database_updated"
	DatabaseHealthChanged                    Type = "database_health_changed"
	DatabaseTenantsUpdated                   Type = "database_tenants_updated"
	DatabaseInstanceRegistered               Type = "database_instance_registered"
	DatabaseInstanceStatusChanged            Type = "database_instance_status_changed"
	DatabaseInstanceSystemReplicationChanged Type = "database_instance_system_replication_changed"
	DatabaseInstanceMarkedAbsent             Type = "database_instance_marked_absent"
	DatabaseInstanceMarkedPresent            Type = "database_instance_marked_present"
	DatabaseInstanceDataMarkedStale          Type = "database_instance_data_marked_stale"
	DatabaseInstanceDataMarkedInSync         Type = "database_instance_data_marked_in_sync"
	DatabaseInstanceDeregistered             Type = "database_instance_deregistered"
	DatabaseDataMarkedStale                  Type = "database_data_marked_stale"
	DatabaseDataMarkedInSync                 Type = "database_data_marked_in_sync"
	DatabaseDeregistered                     Type = "database_deregistered"
	DatabaseRestored                         Type = "database_restored"
)

// Housekeeping of an event store. Never written by this product, which has
// none; the types are known so that imported entries read well.
const (
	HostTombstoned           Type = "host_tombstoned"
	ClusterTombstoned        Type = "cluster_tombstoned"
	SAPSystemTombstoned      Type = "sap_system_tombstoned"
	DatabaseTombstoned       Type = "database_tombstoned"
	HostRollUpRequested      Type = "host_roll_up_requested"
	ClusterRollUpRequested   Type = "cluster_roll_up_requested"
	SAPSystemRollUpRequested Type = "sap_system_roll_up_requested"
	DatabaseRollUpRequested  Type = "database_roll_up_requested"
	HostRolledUp             Type = "host_rolled_up"
	ClusterRolledUp          Type = "cluster_rolled_up"
	SAPSystemRolledUp        Type = "sap_system_rolled_up"
	DatabaseRolledUp         Type = "database_rolled_up"
)

// Types of old versions. Never written.
const (
	ApplicationInstanceHealthChanged Type = "application_instance_health_changed"
	DatabaseInstanceHealthChanged    Type = "database_instance_health_changed"
)

// Types lists the whole catalogue, in its order. The caller owns the list.
func Types() []Type {
	types := make([]Type, len(catalogue))
	for i := range catalogue {
		types[i] = catalogue[i].name
	}
	return types
}

// Known reports whether the catalogue has the type.
func (t Type) Known() bool { return byType[t] != nil }

// Label is the name of the type for people; the raw name of an unknown type.
func (t Type) Label() string {
	if d := byType[t]; d != nil {
		return d.label
	}
	return string(t)
}

// UserManagement reports whether only those who may manage users see entries
// of the type.
func (t Type) UserManagement() bool {
	d := byType[t]
	return d != nil && d.audience == userManagers
}

// Code is the number that stands for the type on disk. It never changes and
// is never given to another type.
func (t Type) Code() (uint16, bool) {
	if d := byType[t]; d != nil {
		return d.code, true
	}
	return 0, false
}

// TypeOfCode is the reverse of Code.
func TypeOfCode(code uint16) (Type, bool) {
	t, ok := byCode[code]
	return t, ok
}
