package activity

// definition is the entry of the catalogue for a type.
type definition struct {
	// code stands for the type on disk. A new type takes the next free number;
	// a number, once used, belongs to its type for good.
	code     uint16
	event    func() Event // returns an empty event of the type
	label    string
	message  string   // byEvent: the message of the event
	resource string   // byEvent: the resource of the event
	severity Severity // severityByEvent: the severity of the event
	audience audience
}

// Values of the catalogue for types whose events differ.
const (
	byEvent                  = ""
	severityByEvent Severity = 0
)

// of makes the events of a type that has a struct.
func of[T any, E interface {
	*T
	Event
}]() func() Event {
	return func() Event { return E(new(T)) }
}

// requested returns the constructor for a type that OperationRequested
// represents.
func requested(t Type) func() Event { return func() Event { return &OperationRequested{Of: t} } }

// foreign returns the constructor for a type that this product never writes.
func foreign(t Type) func() Event { return func() Event { return &Foreign{Of: t} } }

// audience says who sees the entries of a type.
type audience uint8

const (
	everyone audience = iota
	userManagers
)

// The resources most types are about.
const (
	application = "Application"
	user        = "User"
	profile     = "Profile"
	host        = "Host"
	cluster     = "Cluster"
	sapSystem   = "SAP System"
	database    = "Database"
)

// catalogue defines every type, in the order in which they are offered.
var catalogue = []definition{
	// Sign-in and user management.
	{1, of[LoginAttempt](), "Login Attempt", byEvent, application, severityByEvent, userManagers},
	{2, of[UserCreation](), "User Created", byEvent, user, Info, userManagers},
	{3, of[UserModification](), "User Modified", byEvent, user, Info, userManagers},
	{4, of[UserDeletion](), "User Deleted", "User was deleted", user, Warning, userManagers},
	{5, of[ProfileUpdate](), "Profile Updated", "User modified profile", profile, Info, userManagers},
	{6, of[PersonalAccessTokenCreation](), "Personal Access Token Created", "Personal access token was created", profile, Info, userManagers},
	{7, of[PersonalAccessTokenDeletion](), "Personal Access Token Deleted", "Personal access token was deleted", profile, Warning, userManagers},
	{8, of[PersonalAccessTokenAdminDeletion](), "Personal Access Token Deleted by Admin", "Personal access token was deleted by admin", user, Warning, userManagers},
	{9, of[PersonalAccessTokenModification](), "Personal Access Token Modified", "Personal access token was modified", byEvent, Info, userManagers},
	{10, of[PersonalAccessTokenRegeneration](), "Personal Access Token Regenerated", "Personal access token was regenerated", byEvent, Warning, userManagers},
	{11, of[PersonalAccessTokenExpiration](), "Personal Access Token Expired", "Personal access token was expired", byEvent, Warning, userManagers},
	{12, foreign(TypeAIConfigurationCreation), "AI Configuration Created", "AI configuration was created", profile, Info, userManagers},
	{13, foreign(TypeAIConfigurationModification), "AI Configuration Updated", "AI configuration was updated", profile, Info, userManagers},
	{14, foreign(TypeAIConfigurationDeletion), "AI Configuration Cleared", "AI configuration was cleared", profile, Info, userManagers},

	// Settings, tags, checks and clean-up.
	{15, of[ResourceTagging](), "Tag Added", byEvent, byEvent, Info, everyone},
	{16, of[ResourceUntagging](), "Tag Removed", byEvent, byEvent, Info, everyone},
	{17, of[APIKeyGeneration](), "API Key Generated", "API Key was generated", "API Key", Info, everyone},
	{18, foreign(TypeSavingSUMASettings), "SUSE Multi-Linux Manager Settings Saved", "SUSE Multi-Linux Manager Settings were saved", "SUSE Multi-Linux Manager Settings", Info, everyone},
	{19, foreign(TypeChangingSUMASettings), "SUSE Multi-Linux Manager Settings Changed", "SUSE Multi-Linux Manager Settings were changed", "SUSE Multi-Linux Manager Settings", Info, everyone},
	{20, foreign(TypeClearingSUMASettings), "SUSE Multi-Linux Manager Settings Cleared", "SUSE Multi-Linux Manager Settings were cleared", "SUSE Multi-Linux Manager Settings", Warning, everyone},
	{21, foreign(TypeSavingAlertingSettings), "Alerting Settings Saved", "Alerting Settings were saved", "Alerting Settings", Info, everyone},
	{22, foreign(TypeChangingAlertingSettings), "Alerting Settings Changed", "Alerting Settings were changed", "Alerting Settings", Info, everyone},
	{23, of[ActivityLogSettingsUpdate](), "Activity Log Settings Updated", "Activity log settings were updated", "Activity Log Settings", Debug, everyone},
	{24, of[PersonalAccessTokenSettingsUpdate](), "Personal Access Token Settings Updated", "Personal access token settings were updated", "Personal Access Token Settings", Info, everyone},
	{25, of[ClusterChecksSelected](), "Cluster Checks Selected", "Checks were selected for cluster", cluster, Warning, everyone},
	{26, of[HostChecksSelected](), "Host Checks Selected", "Checks were selected for host", host, Warning, everyone},
	{27, foreign(TypeClusterChecksExecutionRequest), "Cluster Checks Execution Requested", "Checks execution requested for cluster", cluster, Info, everyone},
	{28, foreign(TypeHostChecksExecutionRequest), "Host Checks Execution Requested", "Checks execution requested for host", host, Info, everyone},
	{29, of[HostCleanupRequested](), "Host Cleanup Requested", "Host cleanup requested", host, Warning, everyone},
	{30, of[SAPSystemCleanupRequested](), "SAP System Cleanup Requested", "SAP System cleanup requested", sapSystem, Warning, everyone},
	{31, of[DatabaseCleanupRequested](), "Database Cleanup Requested", "Database cleanup requested", database, Warning, everyone},

	// Operations.
	{32, requested(TypeHostOperationRequested), "Host Operation Requested", byEvent, host, Info, everyone},
	{33, requested(TypeClusterOperationRequested), "Cluster Operation Requested", byEvent, cluster, Info, everyone},
	{34, requested(TypeClusterHostOperationRequested), "Operation Requested on a cluster host", byEvent, cluster, Info, everyone},
	{35, requested(TypeApplicationInstanceOperationRequested), "Application Instance Operation Requested", byEvent, "Application Instance", Info, everyone},
	{36, requested(TypeSAPSystemOperationRequested), "SAP System Operation Requested", byEvent, sapSystem, Info, everyone},
	{37, requested(TypeDatabaseOperationRequested), "Database Operation Requested", byEvent, database, Info, everyone},
	{38, of[OperationCompleted](), "Operation Completed", byEvent, byEvent, severityByEvent, everyone},

	// Check customization.
	{39, of[CheckCustomizationApplied](), "Check was customized", byEvent, byEvent, Warning, everyone},
	{40, of[CheckCustomizationReset](), "Check customization was reset", byEvent, byEvent, Info, everyone},

	// Host events.
	{41, of[HeartbeatFailed](), "Heartbeat Failed", "Host heartbeat failed", host, Warning, everyone},
	{42, of[HeartbeatSucceeded](), "Heartbeat Succeeded", "Host heartbeat succeeded", host, Debug, everyone},
	{43, of[HostRegistered](), "Host Registered", "A new host was registered", host, Info, everyone},
	{44, of[HostDetailsUpdated](), "Host Details Updated", "Host details were updated", host, Info, everyone},
	{45, of[HostHealthChanged](), "Host Health Changed", byEvent, host, severityByEvent, everyone},
	{46, of[HostChecksHealthChanged](), "Checks Health Changed", byEvent, host, severityByEvent, everyone},
	{47, of[HostSaptuneHealthChanged](), "Host Saptune Health Changed", byEvent, host, severityByEvent, everyone},
	{48, of[SoftwareUpdatesHealthChanged](), "Software Updates Health Changed", byEvent, host, severityByEvent, everyone},
	{49, of[SoftwareUpdatesDiscoveryRequested](), "Software Updates Discovery Requested", "Software updates discovery was requested", host, Debug, everyone},
	{50, of[SoftwareUpdatesDiscoveryCleared](), "Software Updates Discovery Cleared", "Software updates discovery was cleared", host, Debug, everyone},
	{51, of[ProviderUpdated](), "Provider Updated", "Host Provider was updated", host, Debug, everyone},
	{52, of[SaptuneStatusUpdated](), "Saptune Status Updated", "Host Saptune status was updated", host, Info, everyone},
	{53, of[SLESSubscriptionsUpdated](), "SLES Subscriptions Updated", "SLES subscriptions were updated", host, Debug, everyone},
	{120, of[HostIDShared](), "Host ID Shared", byEvent, host, Warning, everyone},
	{121, of[HostIDUnshared](), "Host ID No Longer Shared", "Only one machine reports under the id of the host again", host, Info, everyone},
	{54, of[HostDeregistrationRequested](), "Host Deregistration Requested", "Deregistration for host was requested", host, Debug, everyone},
	{55, of[HostDeregistered](), "Host Deregistered", "Host was deregistered", host, Warning, everyone},
	{56, of[HostRestored](), "Host Restored", "Host was restored", host, Info, everyone},
	{117, of[AgentReportFaulty](), "Agent Report Faulty", byEvent, host, Warning, everyone},
	{118, of[AgentReportRecovered](), "Agent Report Usable Again", byEvent, host, Info, everyone},

	// Cluster events.
	{57, of[ClusterRegistered](), "Cluster Registered", "A new cluster was registered", cluster, Info, everyone},
	{58, of[ClusterDetailsUpdated](), "Cluster Details Updated", "Cluster details were updated", cluster, Debug, everyone},
	{59, of[ClusterHealthChanged](), "Cluster Health Changed", byEvent, cluster, severityByEvent, everyone},
	{60, of[ClusterChecksHealthChanged](), "Cluster Checks Health Changed", byEvent, cluster, severityByEvent, everyone},
	{61, of[ClusterReplicationHealthChanged](), "Cluster Replication Health Changed", byEvent, cluster, severityByEvent, everyone},
	{62, of[ClusterDistributedHealthChanged](), "Cluster Distributed Health Changed", byEvent, cluster, severityByEvent, everyone},
	{63, of[ClusterSBDHealthChanged](), "Cluster SBD Health Changed", byEvent, cluster, severityByEvent, everyone},
	{64, of[ClusterDiscoveredHealthChanged](), "Cluster Discovered Health Changed", byEvent, cluster, Info, everyone},
	{65, of[HostAddedToCluster](), "Host Added to Cluster", "Host was added to cluster", cluster, Debug, everyone},
	{66, of[HostRemovedFromCluster](), "Host Removed from Cluster", "Host was removed from cluster", cluster, Debug, everyone},
	{67, of[ClusterHostStatusChanged](), "Cluster Host Status Changed", byEvent, cluster, Info, everyone},
	{68, of[ClusterDataMarkedStale](), "Cluster Data Marked Stale", "Cluster data was marked stale", cluster, Debug, everyone},
	{69, of[ClusterDataMarkedInSync](), "Cluster Data Marked In Sync", "Cluster data was marked in sync", cluster, Debug, everyone},
	{70, of[ClusterDeregistered](), "Cluster Deregistered", "Cluster was deregistered", cluster, Warning, everyone},
	{71, of[ClusterRestored](), "Cluster Restored", "Cluster was restored", cluster, Info, everyone},

	// SAP system and application instance events.
	{72, of[ApplicationInstanceRegistered](), "Application Instance Registered", "Application instance was registered", sapSystem, Info, everyone},
	{73, of[ApplicationInstanceMoved](), "Application Instance Moved", "Application instance was moved", sapSystem, Info, everyone},
	{74, of[ApplicationInstanceStatusChanged](), "Application Instance Status Changed", byEvent, sapSystem, severityByEvent, everyone},
	{75, of[ApplicationInstanceMarkedAbsent](), "Application Instance Marked Absent", "Application instance was marked absent", sapSystem, Warning, everyone},
	{76, of[ApplicationInstanceMarkedPresent](), "Application Instance Marked Present", "Application instance was marked present", sapSystem, Info, everyone},
	{77, of[ApplicationInstanceDataMarkedStale](), "Application Instance Data Marked Stale", "Application instance data was marked stale", sapSystem, Debug, everyone},
	{78, of[ApplicationInstanceDataMarkedInSync](), "Application Instance Data Marked In Sync", "Application instance data was marked in sync", sapSystem, Debug, everyone},
	{122, of[ApplicationInstanceSystemLost](), "Application Instance Lost Its System", byEvent, sapSystem, Info, everyone},
	{79, of[ApplicationInstanceDeregistered](), "Application Instance Deregistered", "Application instance was deregistered", sapSystem, Warning, everyone},
	{80, of[SAPSystemRegistered](), "SAP System Registered", "A new SAP system was registered", sapSystem, Info, everyone},
	{81, of[SAPSystemUpdated](), "SAP System Updated", "SAP system was updated", sapSystem, Info, everyone},
	{82, of[SAPSystemHealthChanged](), "SAP System Health Changed", byEvent, sapSystem, severityByEvent, everyone},
	{83, of[SAPSystemDatabaseHealthChanged](), "SAP System Database Health Changed", byEvent, sapSystem, severityByEvent, everyone},
	{84, of[SAPSystemDataMarkedStale](), "SAP System Data Marked Stale", "SAP System data was marked stale", sapSystem, Debug, everyone},
	{85, of[SAPSystemDataMarkedInSync](), "SAP System Data Marked In Sync", "SAP System data was marked in sync", sapSystem, Debug, everyone},
	{86, of[SAPSystemDeregistered](), "SAP System Deregistered", "SAP system was deregistered", sapSystem, Warning, everyone},
	{87, of[SAPSystemRestored](), "SAP System Restored", "SAP system was restored", sapSystem, Debug, everyone},

	// Database events.
	{88, of[DatabaseRegistered](), "Database Registered", "A new database was registered", database, Info, everyone},
	{119, of[DatabaseUpdated](), "Database Updated", "Database was updated", database, Info, everyone},
	{89, of[DatabaseHealthChanged](), "Database Health Changed", byEvent, database, severityByEvent, everyone},
	{90, of[DatabaseTenantsUpdated](), "Database Tenants Updated", "Database tenants were updated", database, Info, everyone},
	{91, of[DatabaseInstanceRegistered](), "Database Instance Registered", "Database instance was registered", database, Info, everyone},
	{92, of[DatabaseInstanceStatusChanged](), "Database Instance Status Changed", byEvent, database, severityByEvent, everyone},
	{93, of[DatabaseInstanceSystemReplicationChanged](), "Database Instance System Replication Changed", byEvent, database, Warning, everyone},
	{94, of[DatabaseInstanceMarkedAbsent](), "Database Instance Marked Absent", "Database instance was marked absent", database, Warning, everyone},
	{95, of[DatabaseInstanceMarkedPresent](), "Database Instance Marked Present", "Database instance was marked present", database, Info, everyone},
	{96, of[DatabaseInstanceDataMarkedStale](), "Database Instance Data Marked Stale", "Database instance data was marked stale", database, Debug, everyone},
	{97, of[DatabaseInstanceDataMarkedInSync](), "Database Instance Data Marked In Sync", "Database instance data was marked in sync", database, Debug, everyone},
	{98, of[DatabaseInstanceDeregistered](), "Database Instance Deregistered", "Database instance was deregistered", database, Warning, everyone},
	{99, of[DatabaseDataMarkedStale](), "Database Data Marked Stale", "Database data was marked stale", database, Debug, everyone},
	{100, of[DatabaseDataMarkedInSync](), "Database Data Marked In Sync", "Database data was marked in sync", database, Debug, everyone},
	{101, of[DatabaseDeregistered](), "Database Deregistered", "Database was deregistered", database, Warning, everyone},
	{102, of[DatabaseRestored](), "Database Restored", "Database was restored", database, Info, everyone},

	// Housekeeping of an event store. Never written by this product, which has
	// none; the types are known so that imported entries read well.
	{103, foreign(TypeHostTombstoned), "Host Tombstoned", "Host was tombstoned", host, Debug, everyone},
	{104, foreign(TypeClusterTombstoned), "Cluster Tombstoned", "Cluster was tombstoned", cluster, Debug, everyone},
	{105, foreign(TypeSAPSystemTombstoned), "SAP System Tombstoned", "SAP system was tombstoned", sapSystem, Debug, everyone},
	{106, foreign(TypeDatabaseTombstoned), "Database Tombstoned", "Database was tombstoned", database, Debug, everyone},
	{107, foreign(TypeHostRollUpRequested), "Host Roll Up Requested", "Roll up for host was requested", host, Debug, everyone},
	{108, foreign(TypeClusterRollUpRequested), "Cluster Roll Up Requested", "Roll up for cluster was requested", cluster, Debug, everyone},
	{109, foreign(TypeSAPSystemRollUpRequested), "SAP System Roll Up Requested", "Roll up for SAP system was requested", sapSystem, Debug, everyone},
	{110, foreign(TypeDatabaseRollUpRequested), "Database Roll Up Requested", "Roll up for database was requested", database, Info, everyone},
	{111, foreign(TypeHostRolledUp), "Host Rolled Up", "Host was rolled up", host, Debug, everyone},
	{112, foreign(TypeClusterRolledUp), "Cluster Rolled Up", "Cluster was rolled up", cluster, Debug, everyone},
	{113, foreign(TypeSAPSystemRolledUp), "SAP System Rolled Up", "SAP system was rolled up", sapSystem, Debug, everyone},
	{114, foreign(TypeDatabaseRolledUp), "Database Rolled Up", "Database was rolled up", database, Debug, everyone},

	// Types of old versions. Never written.
	{115, foreign(TypeApplicationInstanceHealthChanged), "Application Instance Health Changed", "Application instance health changed", sapSystem, Info, everyone},
	{116, foreign(TypeDatabaseInstanceHealthChanged), "Database Instance Health Changed", "Database instance health changed", database, Info, everyone},
}

var (
	byType = indexByType()
	byCode = indexByCode()
)

func (d *definition) name() Type { return d.event().Type() }

func indexByType() map[Type]*definition {
	index := make(map[Type]*definition, len(catalogue))
	for i := range catalogue {
		index[catalogue[i].name()] = &catalogue[i]
	}
	return index
}

func indexByCode() map[uint16]Type {
	index := make(map[uint16]Type, len(catalogue))
	for i := range catalogue {
		index[catalogue[i].code] = catalogue[i].name()
	}
	return index
}
