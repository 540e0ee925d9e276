package activity

// Type is the type of an entry. The names are part of the API. The catalogue
// defines the texts.
type Type string

// Sign-in and user management.
const (
	TypeLoginAttempt                     Type = "login_attempt"
	TypeUserCreation                     Type = "user_creation"
	TypeUserModification                 Type = "user_modification"
	TypeUserDeletion                     Type = "user_deletion"
	TypeProfileUpdate                    Type = "profile_update"
	TypePersonalAccessTokenCreation      Type = "personal_access_token_creation"
	TypePersonalAccessTokenDeletion      Type = "personal_access_token_deletion"
	TypePersonalAccessTokenAdminDeletion Type = "personal_access_token_admin_deletion"
	TypePersonalAccessTokenModification  Type = "personal_access_token_modification"
	TypePersonalAccessTokenRegeneration  Type = "personal_access_token_regeneration"
	TypePersonalAccessTokenExpiration    Type = "personal_access_token_expiration"
	TypeAIConfigurationCreation          Type = "ai_configuration_creation"
	TypeAIConfigurationModification      Type = "ai_configuration_modification"
	TypeAIConfigurationDeletion          Type = "ai_configuration_deletion"
)

// Settings, tags, checks and clean-up.
const (
	TypeResourceTagging                   Type = "resource_tagging"
	TypeResourceUntagging                 Type = "resource_untagging"
	TypeAPIKeyGeneration                  Type = "api_key_generation"
	TypeMessageCredentialRotation         Type = "message_credential_rotation"
	TypeBackupCreation                    Type = "backup_creation"
	TypeBackupFailure                     Type = "backup_failure"
	TypeAlertGivenUp                      Type = "alert_given_up"
	TypeAlertsDiscarded                   Type = "alerts_discarded"
	TypeForwardingInterruption            Type = "activity_log_forwarding_interruption"
	TypeForwardingResumption              Type = "activity_log_forwarding_resumption"
	TypeWritingInterruption               Type = "writing_interruption"
	TypeClockChange                       Type = "clock_change"
	TypeSupportBundleCreation             Type = "support_bundle_creation"
	TypeWebhookCreation                   Type = "webhook_creation"
	TypeWebhookModification               Type = "webhook_modification"
	TypeWebhookDeletion                   Type = "webhook_deletion"
	TypeWebhookDisabling                  Type = "webhook_disabling"
	TypeDisplayCreation                   Type = "display_creation"
	TypeDisplayPairing                    Type = "display_pairing"
	TypeDisplayDeletion                   Type = "display_deletion"
	TypeSharedViewCreation                Type = "shared_view_creation"
	TypeSharedViewModification            Type = "shared_view_modification"
	TypeSharedViewDeletion                Type = "shared_view_deletion"
	TypeSavingSUMASettings                Type = "saving_suma_settings"
	TypeChangingSUMASettings              Type = "changing_suma_settings"
	TypeClearingSUMASettings              Type = "clearing_suma_settings"
	TypeSavingAlertingSettings            Type = "saving_alerting_settings"
	TypeChangingAlertingSettings          Type = "changing_alerting_settings"
	TypeActivityLogSettingsUpdate         Type = "activity_log_settings_update"
	TypePersonalAccessTokenSettingsUpdate Type = "personal_access_token_settings_update"
	TypeClusterChecksSelected             Type = "cluster_checks_selected"
	TypeHostChecksSelected                Type = "host_checks_selected"
	TypeClusterChecksExecutionRequest     Type = "cluster_checks_execution_request"
	TypeHostChecksExecutionRequest        Type = "host_checks_execution_request"
	TypeChecksExecutionCompleted          Type = "checks_execution_completed"
	TypeFactsRequested                    Type = "facts_requested"
	TypeCheckWaiverCreation               Type = "check_waiver_creation"
	TypeCheckWaiverModification           Type = "check_waiver_modification"
	TypeCheckWaiverEnd                    Type = "check_waiver_end"
	TypeHostDiscoveryRequested            Type = "host_discovery_requested"
	TypeClusterDiscoveryRequested         Type = "cluster_discovery_requested"
	TypeHostCleanupRequested              Type = "host_cleanup_requested"
	TypeSAPSystemCleanupRequested         Type = "sap_system_cleanup_requested"
	TypeDatabaseCleanupRequested          Type = "database_cleanup_requested"
)

// Operations.
const (
	TypeHostOperationRequested                Type = "host_operation_requested"
	TypeClusterOperationRequested             Type = "cluster_operation_requested"
	TypeClusterHostOperationRequested         Type = "cluster_host_operation_requested"
	TypeApplicationInstanceOperationRequested Type = "application_instance_operation_requested"
	TypeSAPSystemOperationRequested           Type = "sap_system_operation_requested"
	TypeDatabaseOperationRequested            Type = "database_operation_requested"
	TypeOperationCompleted                    Type = "operation_completed"
)

// Check customization.
const (
	TypeCheckCustomizationApplied Type = "check_customization_applied"
	TypeCheckCustomizationReset   Type = "check_customization_reset"
)

// Host events.
const (
	TypeHeartbeatFailed                   Type = "heartbeat_failed"
	TypeHeartbeatSucceeded                Type = "heartbeat_succeeded"
	TypeHostRegistered                    Type = "host_registered"
	TypeHostDetailsUpdated                Type = "host_details_updated"
	TypeHostHealthChanged                 Type = "host_health_changed"
	TypeHostChecksHealthChanged           Type = "host_checks_health_changed"
	TypeHostSaptuneHealthChanged          Type = "host_saptune_health_changed"
	TypeSoftwareUpdatesHealthChanged      Type = "software_updates_health_changed"
	TypeSoftwareUpdatesDiscoveryRequested Type = "software_updates_discovery_requested"
	TypeSoftwareUpdatesDiscoveryCleared   Type = "software_updates_discovery_cleared"
	TypeProviderUpdated                   Type = "provider_updated"
	TypeSaptuneStatusUpdated              Type = "saptune_status_updated"
	TypeSLESSubscriptionsUpdated          Type = "sles_subscriptions_updated"
	TypeHostIDShared                      Type = "host_id_shared"
	TypeHostIDUnshared                    Type = "host_id_unshared"
	TypeHostDeregistrationRequested       Type = "host_deregistration_requested"
	TypeHostDeregistered                  Type = "host_deregistered"
	TypeHostRestored                      Type = "host_restored"
	TypeAgentReportFaulty                 Type = "agent_report_faulty"
	TypeAgentReportRecovered              Type = "agent_report_recovered"
)

// Cluster events.
const (
	TypeClusterRegistered               Type = "cluster_registered"
	TypeClusterDetailsUpdated           Type = "cluster_details_updated"
	TypeClusterHealthChanged            Type = "cluster_health_changed"
	TypeClusterChecksHealthChanged      Type = "cluster_checks_health_changed"
	TypeClusterReplicationHealthChanged Type = "cluster_replication_health_changed"
	TypeClusterDistributedHealthChanged Type = "cluster_distributed_health_changed"
	TypeClusterSBDHealthChanged         Type = "cluster_sbd_health_changed"
	TypeClusterDiscoveredHealthChanged  Type = "cluster_discovered_health_changed"
	TypeHostAddedToCluster              Type = "host_added_to_cluster"
	TypeHostRemovedFromCluster          Type = "host_removed_from_cluster"
	TypeClusterHostStatusChanged        Type = "cluster_host_status_changed"
	TypeClusterDataMarkedStale          Type = "cluster_data_marked_stale"
	TypeClusterDataMarkedInSync         Type = "cluster_data_marked_in_sync"
	TypeClusterDeregistered             Type = "cluster_deregistered"
	TypeClusterRestored                 Type = "cluster_restored"
)

// SAP system and application instance events.
const (
	TypeApplicationInstanceRegistered       Type = "application_instance_registered"
	TypeApplicationInstanceMoved            Type = "application_instance_moved"
	TypeApplicationInstanceStatusChanged    Type = "application_instance_status_changed"
	TypeApplicationInstanceMarkedAbsent     Type = "application_instance_marked_absent"
	TypeApplicationInstanceMarkedPresent    Type = "application_instance_marked_present"
	TypeApplicationInstanceDataMarkedStale  Type = "application_instance_data_marked_stale"
	TypeApplicationInstanceDataMarkedInSync Type = "application_instance_data_marked_in_sync"
	TypeApplicationInstanceSystemLost       Type = "application_instance_system_lost"
	TypeApplicationInstanceDeregistered     Type = "application_instance_deregistered"
	TypeSAPSystemRegistered                 Type = "sap_system_registered"
	TypeSAPSystemUpdated                    Type = "sap_system_updated"
	TypeSAPSystemHealthChanged              Type = "sap_system_health_changed"
	TypeSAPSystemDatabaseHealthChanged      Type = "sap_system_database_health_changed"
	TypeSAPSystemDataMarkedStale            Type = "sap_system_data_marked_stale"
	TypeSAPSystemDataMarkedInSync           Type = "sap_system_data_marked_in_sync"
	TypeSAPSystemDeregistered               Type = "sap_system_deregistered"
	TypeSAPSystemRestored                   Type = "sap_system_restored"
)

// Database events.
const (
	TypeDatabaseRegistered                       Type = "database_registered"
	TypeDatabaseUpdated                          Type = "database_updated"
	TypeDatabaseHealthChanged                    Type = "database_health_changed"
	TypeDatabaseTenantsUpdated                   Type = "database_tenants_updated"
	TypeDatabaseInstanceRegistered               Type = "database_instance_registered"
	TypeDatabaseInstanceStatusChanged            Type = "database_instance_status_changed"
	TypeDatabaseInstanceSystemReplicationChanged Type = "database_instance_system_replication_changed"
	TypeDatabaseInstanceMarkedAbsent             Type = "database_instance_marked_absent"
	TypeDatabaseInstanceMarkedPresent            Type = "database_instance_marked_present"
	TypeDatabaseInstanceDataMarkedStale          Type = "database_instance_data_marked_stale"
	TypeDatabaseInstanceDataMarkedInSync         Type = "database_instance_data_marked_in_sync"
	TypeDatabaseInstanceDeregistered             Type = "database_instance_deregistered"
	TypeDatabaseDataMarkedStale                  Type = "database_data_marked_stale"
	TypeDatabaseDataMarkedInSync                 Type = "database_data_marked_in_sync"
	TypeDatabaseDeregistered                     Type = "database_deregistered"
	TypeDatabaseRestored                         Type = "database_restored"
)

// Maintenance of an event store, which this product does not have. It never
// writes these types, but shows them if entries were imported.
const (
	TypeHostTombstoned           Type = "host_tombstoned"
	TypeClusterTombstoned        Type = "cluster_tombstoned"
	TypeSAPSystemTombstoned      Type = "sap_system_tombstoned"
	TypeDatabaseTombstoned       Type = "database_tombstoned"
	TypeHostRollUpRequested      Type = "host_roll_up_requested"
	TypeClusterRollUpRequested   Type = "cluster_roll_up_requested"
	TypeSAPSystemRollUpRequested Type = "sap_system_roll_up_requested"
	TypeDatabaseRollUpRequested  Type = "database_roll_up_requested"
	TypeHostRolledUp             Type = "host_rolled_up"
	TypeClusterRolledUp          Type = "cluster_rolled_up"
	TypeSAPSystemRolledUp        Type = "sap_system_rolled_up"
	TypeDatabaseRolledUp         Type = "database_rolled_up"
)

// Types of old versions, never written.
const (
	TypeApplicationInstanceHealthChanged Type = "application_instance_health_changed"
	TypeDatabaseInstanceHealthChanged    Type = "database_instance_health_changed"
)

// Types lists all types in the order of the catalogue. The slice belongs to the
// caller.
func Types() []Type {
	types := make([]Type, len(catalogue))
	for i := range catalogue {
		types[i] = catalogue[i].eventType()
	}
	return types
}

// Known reports whether the catalogue contains the type.
func (t Type) Known() bool { return definitionByType[t] != nil }

// Label returns the name of the type for users. For an unknown type it returns
// the type itself.
func (t Type) Label() string {
	if d := definitionByType[t]; d != nil {
		return d.label
	}
	return string(t)
}

// UserManagement reports whether only users who may manage users may see
// entries of the type.
func (t Type) UserManagement() bool {
	d := definitionByType[t]
	return d != nil && d.audience == userManagers
}

// Code returns the number of the type in the file. It never changes and is
// never used for another type.
func (t Type) Code() (uint16, bool) {
	if d := definitionByType[t]; d != nil {
		return d.code, true
	}
	return 0, false
}

// TypeOfCode returns the type with the code.
func TypeOfCode(code uint16) (Type, bool) {
	t, ok := typeByCode[code]
	return t, ok
}
