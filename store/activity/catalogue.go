package activity

// definition is what the catalogue knows about a type.
type definition struct {
	// code stands for the type on disk. A new type takes the next free number;
	// a number, once used, belongs to its type for good.
	code     uint16
	name     Type
	label    string
	message  func(facts) string
	resource func(facts) string
	severity func(facts) Severity
	audience audience
}

// audience says who sees the entries of a type.
type audience uint8

const (
	everyone audience = iota
	userManagers
)

// The resources most types are about.
var (
	application = fixed("Application")
	user        = fixed("User")
	profile     = fixed("Profile")
	host        = fixed("Host")
	cluster     = fixed("Cluster")
	sapSystem   = fixed("SAP System")
	database    = fixed("Database")
)

// catalogue defines every type, in the order in which they are offered.
var catalogue = []definition{
	// Sign-in and user management.
	{1, TypeLoginAttempt, "Login Attempt", loginMessage, application, bySignIn, userManagers},
	{2, TypeUserCreation, "User Created", fixed("User was created"), user, always(Info), userManagers},
	{3, TypeUserModification, "User Modified", fixed("User was modified"), user, always(Info), userManagers},
	{4, TypeUserDeletion, "User Deleted", fixed("User was deleted"), user, always(Warning), userManagers},
	{5, TypeProfileUpdate, "Profile Updated", fixed("User modified profile"), profile, always(Info), userManagers},
	{6, TypePersonalAccessTokenCreation, "Personal Access Token Created", fixed("Personal access token was created"), profile, always(Info), userManagers},
	{7, TypePersonalAccessTokenDeletion, "Personal Access Token Deleted", fixed("Personal access token was deleted"), profile, always(Warning), userManagers},
	{8, TypePersonalAccessTokenAdminDeletion, "Personal Access Token Deleted by Admin", fixed("Personal access token was deleted by admin"), user, always(Warning), userManagers},
	{9, TypePersonalAccessTokenModification, "Personal Access Token Modified", fixed("Personal access token was modified"), tokenOwner, always(Info), userManagers},
	{10, TypePersonalAccessTokenRegeneration, "Personal Access Token Regenerated", fixed("Personal access token was regenerated"), tokenOwner, always(Warning), userManagers},
	{11, TypePersonalAccessTokenExpiration, "Personal Access Token Expired", fixed("Personal access token was expired"), tokenOwner, always(Warning), userManagers},
	{12, TypeAIConfigurationCreation, "AI Configuration Created", fixed("AI configuration was created"), profile, always(Info), userManagers},
	{13, TypeAIConfigurationModification, "AI Configuration Updated", fixed("AI configuration was updated"), profile, always(Info), userManagers},
	{14, TypeAIConfigurationDeletion, "AI Configuration Cleared", fixed("AI configuration was cleared"), profile, always(Info), userManagers},

	// Settings, tags, checks and clean-up.
	{15, TypeResourceTagging, "Tag Added", tagAdded, tagged, always(Info), everyone},
	{16, TypeResourceUntagging, "Tag Removed", tagRemoved, tagged, always(Info), everyone},
	{17, TypeAPIKeyGeneration, "API Key Generated", fixed("API Key was generated"), fixed("API Key"), always(Info), everyone},
	{18, TypeSavingSUMASettings, "SUSE Multi-Linux Manager Settings Saved", fixed("SUSE Multi-Linux Manager Settings were saved"), fixed("SUSE Multi-Linux Manager Settings"), always(Info), everyone},
	{19, TypeChangingSUMASettings, "SUSE Multi-Linux Manager Settings Changed", fixed("SUSE Multi-Linux Manager Settings were changed"), fixed("SUSE Multi-Linux Manager Settings"), always(Info), everyone},
	{20, TypeClearingSUMASettings, "SUSE Multi-Linux Manager Settings Cleared", fixed("SUSE Multi-Linux Manager Settings were cleared"), fixed("SUSE Multi-Linux Manager Settings"), always(Warning), everyone},
	{21, TypeSavingAlertingSettings, "Alerting Settings Saved", fixed("Alerting Settings were saved"), fixed("Alerting Settings"), always(Info), everyone},
	{22, TypeChangingAlertingSettings, "Alerting Settings Changed", fixed("Alerting Settings were changed"), fixed("Alerting Settings"), always(Info), everyone},
	{23, TypeActivityLogSettingsUpdate, "Activity Log Settings Updated", fixed("Activity log settings were updated"), fixed("Activity Log Settings"), always(Debug), everyone},
	{24, TypePersonalAccessTokenSettingsUpdate, "Personal Access Token Settings Updated", fixed("Personal access token settings were updated"), fixed("Personal Access Token Settings"), always(Info), everyone},
	{25, TypeClusterChecksSelected, "Cluster Checks Selected", fixed("Checks were selected for cluster"), cluster, always(Warning), everyone},
	{26, TypeHostChecksSelected, "Host Checks Selected", fixed("Checks were selected for host"), host, always(Warning), everyone},
	{27, TypeClusterChecksExecutionRequest, "Cluster Checks Execution Requested", fixed("Checks execution requested for cluster"), cluster, always(Info), everyone},
	{28, TypeHostChecksExecutionRequest, "Host Checks Execution Requested", fixed("Checks execution requested for host"), host, always(Info), everyone},
	{29, TypeHostCleanupRequested, "Host Cleanup Requested", fixed("Host cleanup requested"), host, always(Warning), everyone},
	{30, TypeSAPSystemCleanupRequested, "SAP System Cleanup Requested", fixed("SAP System cleanup requested"), sapSystem, always(Warning), everyone},
	{31, TypeDatabaseCleanupRequested, "Database Cleanup Requested", fixed("Database cleanup requested"), database, always(Warning), everyone},

	// Operations.
	{32, TypeHostOperationRequested, "Host Operation Requested", requestMessage, host, always(Info), everyone},
	{33, TypeClusterOperationRequested, "Cluster Operation Requested", requestMessage, cluster, always(Info), everyone},
	{34, TypeClusterHostOperationRequested, "Operation Requested on a cluster host", requestMessage, cluster, always(Info), everyone},
	{35, TypeApplicationInstanceOperationRequested, "Application Instance Operation Requested", requestMessage, fixed("Application Instance"), always(Info), everyone},
	{36, TypeSAPSystemOperationRequested, "SAP System Operation Requested", requestMessage, sapSystem, always(Info), everyone},
	{37, TypeDatabaseOperationRequested, "Database Operation Requested", requestMessage, database, always(Info), everyone},
	{38, TypeOperationCompleted, "Operation Completed", completionMessage, operated, byResult, everyone},

	// Check customization.
	{39, TypeCheckCustomizationApplied, "Check was customized", checkCustomized, customized, always(Warning), everyone},
	{40, TypeCheckCustomizationReset, "Check customization was reset", checkReset, customized, always(Info), everyone},

	// Host events.
	{41, TypeHeartbeatFailed, "Heartbeat Failed", fixed("Host heartbeat failed"), host, always(Warning), everyone},
	{42, TypeHeartbeatSucceeded, "Heartbeat Succeeded", fixed("Host heartbeat succeeded"), host, always(Debug), everyone},
	{43, TypeHostRegistered, "Host Registered", fixed("A new host was registered"), host, always(Info), everyone},
	{44, TypeHostDetailsUpdated, "Host Details Updated", fixed("Host details were updated"), host, always(Info), everyone},
	{45, TypeHostHealthChanged, "Host Health Changed", changed("Host health", "health"), host, byKnownHealth, everyone},
	{46, TypeHostChecksHealthChanged, "Checks Health Changed", changed("Checks health for host", "checks_health"), host, byKnownHealth, everyone},
	{47, TypeHostSaptuneHealthChanged, "Host Saptune Health Changed", changed("Host saptune health", "saptune_health"), host, byKnownHealth, everyone},
	{48, TypeSoftwareUpdatesHealthChanged, "Software Updates Health Changed", changed("Software updates health", "health"), host, byKnownHealth, everyone},
	{49, TypeSoftwareUpdatesDiscoveryRequested, "Software Updates Discovery Requested", fixed("Software updates discovery was requested"), host, always(Debug), everyone},
	{50, TypeSoftwareUpdatesDiscoveryCleared, "Software Updates Discovery Cleared", fixed("Software updates discovery was cleared"), host, always(Debug), everyone},
	{51, TypeProviderUpdated, "Provider Updated", fixed("Host Provider was updated"), host, always(Debug), everyone},
	{52, TypeSaptuneStatusUpdated, "Saptune Status Updated", fixed("Host Saptune status was updated"), host, always(Info), everyone},
	{53, TypeSLESSubscriptionsUpdated, "SLES Subscriptions Updated", fixed("SLES subscriptions were updated"), host, always(Debug), everyone},
	{120, TypeHostIDShared, "Host ID Shared", sharedMessage, host, always(Warning), everyone},
	{121, TypeHostIDUnshared, "Host ID No Longer Shared", fixed("Only one machine reports under the id of the host again"), host, always(Info), everyone},
	{54, TypeHostDeregistrationRequested, "Host Deregistration Requested", fixed("Deregistration for host was requested"), host, always(Debug), everyone},
	{55, TypeHostDeregistered, "Host Deregistered", fixed("Host was deregistered"), host, always(Warning), everyone},
	{56, TypeHostRestored, "Host Restored", fixed("Host was restored"), host, always(Info), everyone},
	{117, TypeAgentReportFaulty, "Agent Report Faulty", faultMessage, host, always(Warning), everyone},
	{118, TypeAgentReportRecovered, "Agent Report Usable Again", recoveryMessage, host, always(Info), everyone},

	// Cluster events.
	{57, TypeClusterRegistered, "Cluster Registered", fixed("A new cluster was registered"), cluster, always(Info), everyone},
	{58, TypeClusterDetailsUpdated, "Cluster Details Updated", fixed("Cluster details were updated"), cluster, always(Debug), everyone},
	{59, TypeClusterHealthChanged, "Cluster Health Changed", changed("Cluster health", "health"), cluster, byKnownHealth, everyone},
	{60, TypeClusterChecksHealthChanged, "Cluster Checks Health Changed", changed("Checks health for cluster", "checks_health"), cluster, byKnownHealth, everyone},
	{61, TypeClusterReplicationHealthChanged, "Cluster Replication Health Changed", changed("Cluster's replication health", "replication_health"), cluster, byKnownHealth, everyone},
	{62, TypeClusterDistributedHealthChanged, "Cluster Distributed Health Changed", changed("Cluster's ASCS/ERS nodes distribution health", "distributed_health"), cluster, byKnownHealth, everyone},
	{63, TypeClusterSBDHealthChanged, "Cluster SBD Health Changed", changed("Cluster's SBD fencing health", "sbd_health"), cluster, byKnownHealth, everyone},
	{64, TypeClusterDiscoveredHealthChanged, "Cluster Discovered Health Changed", changed("Cluster's discovered health", "discovered_health"), cluster, always(Info), everyone},
	{65, TypeHostAddedToCluster, "Host Added to Cluster", fixed("Host was added to cluster"), cluster, always(Debug), everyone},
	{66, TypeHostRemovedFromCluster, "Host Removed from Cluster", fixed("Host was removed from cluster"), cluster, always(Debug), everyone},
	{67, TypeClusterHostStatusChanged, "Cluster Host Status Changed", changed("Cluster host status", "cluster_host_status"), cluster, always(Info), everyone},
	{68, TypeClusterDataMarkedStale, "Cluster Data Marked Stale", fixed("Cluster data was marked stale"), cluster, always(Debug), everyone},
	{69, TypeClusterDataMarkedInSync, "Cluster Data Marked In Sync", fixed("Cluster data was marked in sync"), cluster, always(Debug), everyone},
	{70, TypeClusterDeregistered, "Cluster Deregistered", fixed("Cluster was deregistered"), cluster, always(Warning), everyone},
	{71, TypeClusterRestored, "Cluster Restored", fixed("Cluster was restored"), cluster, always(Info), everyone},

	// SAP system and application instance events.
	{72, TypeApplicationInstanceRegistered, "Application Instance Registered", fixed("Application instance was registered"), sapSystem, always(Info), everyone},
	{73, TypeApplicationInstanceMoved, "Application Instance Moved", fixed("Application instance was moved"), sapSystem, always(Info), everyone},
	{74, TypeApplicationInstanceStatusChanged, "Application Instance Status Changed", changed("Application instance status", "status"), sapSystem, byInstanceStatus, everyone},
	{75, TypeApplicationInstanceMarkedAbsent, "Application Instance Marked Absent", fixed("Application instance was marked absent"), sapSystem, always(Warning), everyone},
	{76, TypeApplicationInstanceMarkedPresent, "Application Instance Marked Present", fixed("Application instance was marked present"), sapSystem, always(Info), everyone},
	{77, TypeApplicationInstanceDataMarkedStale, "Application Instance Data Marked Stale", fixed("Application instance data was marked stale"), sapSystem, always(Debug), everyone},
	{78, TypeApplicationInstanceDataMarkedInSync, "Application Instance Data Marked In Sync", fixed("Application instance data was marked in sync"), sapSystem, always(Debug), everyone},
	{122, TypeApplicationInstanceSystemLost, "Application Instance Lost Its System", systemLostMessage, sapSystem, always(Info), everyone},
	{79, TypeApplicationInstanceDeregistered, "Application Instance Deregistered", fixed("Application instance was deregistered"), sapSystem, always(Warning), everyone},
	{80, TypeSAPSystemRegistered, "SAP System Registered", fixed("A new SAP system was registered"), sapSystem, always(Info), everyone},
	{81, TypeSAPSystemUpdated, "SAP System Updated", fixed("SAP system was updated"), sapSystem, always(Info), everyone},
	{82, TypeSAPSystemHealthChanged, "SAP System Health Changed", changed("SAP system health", "health"), sapSystem, byHealth, everyone},
	{83, TypeSAPSystemDatabaseHealthChanged, "SAP System Database Health Changed", changed("SAP system database health", "database_health"), sapSystem, byHealth, everyone},
	{84, TypeSAPSystemDataMarkedStale, "SAP System Data Marked Stale", fixed("SAP System data was marked stale"), sapSystem, always(Debug), everyone},
	{85, TypeSAPSystemDataMarkedInSync, "SAP System Data Marked In Sync", fixed("SAP System data was marked in sync"), sapSystem, always(Debug), everyone},
	{86, TypeSAPSystemDeregistered, "SAP System Deregistered", fixed("SAP system was deregistered"), sapSystem, always(Warning), everyone},
	{87, TypeSAPSystemRestored, "SAP System Restored", fixed("SAP system was restored"), sapSystem, always(Debug), everyone},

	// Database events.
	{88, TypeDatabaseRegistered, "Database Registered", fixed("A new database was registered"), database, always(Info), everyone},
	{119, TypeDatabaseUpdated, "Database Updated", fixed("Database was updated"), database, always(Info), everyone},
	{89, TypeDatabaseHealthChanged, "Database Health Changed", changed("Database health", "health"), database, byHealth, everyone},
	{90, TypeDatabaseTenantsUpdated, "Database Tenants Updated", fixed("Database tenants were updated"), database, always(Info), everyone},
	{91, TypeDatabaseInstanceRegistered, "Database Instance Registered", fixed("Database instance was registered"), database, always(Info), everyone},
	{92, TypeDatabaseInstanceStatusChanged, "Database Instance Status Changed", changed("Database instance status", "status"), database, byInstanceStatus, everyone},
	{93, TypeDatabaseInstanceSystemReplicationChanged, "Database Instance System Replication Changed", changed("Database instance system replication", "system_replication"), database, always(Warning), everyone},
	{94, TypeDatabaseInstanceMarkedAbsent, "Database Instance Marked Absent", fixed("Database instance was marked absent"), database, always(Warning), everyone},
	{95, TypeDatabaseInstanceMarkedPresent, "Database Instance Marked Present", fixed("Database instance was marked present"), database, always(Info), everyone},
	{96, TypeDatabaseInstanceDataMarkedStale, "Database Instance Data Marked Stale", fixed("Database instance data was marked stale"), database, always(Debug), everyone},
	{97, TypeDatabaseInstanceDataMarkedInSync, "Database Instance Data Marked In Sync", fixed("Database instance data was marked in sync"), database, always(Debug), everyone},
	{98, TypeDatabaseInstanceDeregistered, "Database Instance Deregistered", fixed("Database instance was deregistered"), database, always(Warning), everyone},
	{99, TypeDatabaseDataMarkedStale, "Database Data Marked Stale", fixed("Database data was marked stale"), database, always(Debug), everyone},
	{100, TypeDatabaseDataMarkedInSync, "Database Data Marked In Sync", fixed("Database data was marked in sync"), database, always(Debug), everyone},
	{101, TypeDatabaseDeregistered, "Database Deregistered", fixed("Database was deregistered"), database, always(Warning), everyone},
	{102, TypeDatabaseRestored, "Database Restored", fixed("Database was restored"), database, always(Info), everyone},

	// Housekeeping of an event store. Never written by this product, which has
	// none; the types are known so that imported entries read well.
	{103, TypeHostTombstoned, "Host Tombstoned", fixed("Host was tombstoned"), host, always(Debug), everyone},
	{104, TypeClusterTombstoned, "Cluster Tombstoned", fixed("Cluster was tombstoned"), cluster, always(Debug), everyone},
	{105, TypeSAPSystemTombstoned, "SAP System Tombstoned", fixed("SAP system was tombstoned"), sapSystem, always(Debug), everyone},
	{106, TypeDatabaseTombstoned, "Database Tombstoned", fixed("Database was tombstoned"), database, always(Debug), everyone},
	{107, TypeHostRollUpRequested, "Host Roll Up Requested", fixed("Roll up for host was requested"), host, always(Debug), everyone},
	{108, TypeClusterRollUpRequested, "Cluster Roll Up Requested", fixed("Roll up for cluster was requested"), cluster, always(Debug), everyone},
	{109, TypeSAPSystemRollUpRequested, "SAP System Roll Up Requested", fixed("Roll up for SAP system was requested"), sapSystem, always(Debug), everyone},
	{110, TypeDatabaseRollUpRequested, "Database Roll Up Requested", fixed("Roll up for database was requested"), database, always(Info), everyone},
	{111, TypeHostRolledUp, "Host Rolled Up", fixed("Host was rolled up"), host, always(Debug), everyone},
	{112, TypeClusterRolledUp, "Cluster Rolled Up", fixed("Cluster was rolled up"), cluster, always(Debug), everyone},
	{113, TypeSAPSystemRolledUp, "SAP System Rolled Up", fixed("SAP system was rolled up"), sapSystem, always(Debug), everyone},
	{114, TypeDatabaseRolledUp, "Database Rolled Up", fixed("Database was rolled up"), database, always(Debug), everyone},

	// Types of old versions. Never written.
	{115, TypeApplicationInstanceHealthChanged, "Application Instance Health Changed", fixed("Application instance health changed"), sapSystem, always(Info), everyone},
	{116, TypeDatabaseInstanceHealthChanged, "Database Instance Health Changed", fixed("Database instance health changed"), database, always(Info), everyone},
}

var (
	byType = indexByType()
	byCode = indexByCode()
)

func indexByType() map[Type]*definition {
	index := make(map[Type]*definition, len(catalogue))
	for i := range catalogue {
		index[catalogue[i].name] = &catalogue[i]
	}
	return index
}

func indexByCode() map[uint16]Type {
	index := make(map[uint16]Type, len(catalogue))
	for _, d := range catalogue {
		index[d.code] = d.name
	}
	return index
}
