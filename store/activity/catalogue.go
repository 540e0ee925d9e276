package activity

// typeDefinition is a row of the catalogue; it defines a type.
type typeDefinition struct {
	// code is the number of the type in the file. A new type takes the next
	// free number. A number that was used must never be used for another type.
	code     uint16
	event    func() Event // returns an empty event of the type
	label    string
	message  string   // textByEvent if the event has the method message
	resource string   // textByEvent if the event has the method resource
	severity Severity // severityByEvent if the event has the method severity
	audience audience
}

// The values in the catalogue for types whose events decide the text or
// severity.
const (
	textByEvent              = ""
	severityByEvent Severity = 0
)

// newEventOf returns the constructor of the events of a type that has a struct.
func newEventOf[T any, E interface {
	*T
	Event
}]() func() Event {
	return func() Event { return E(new(T)) }
}

// newOperationRequestedOf returns the constructor of the events of a type of
// OperationRequested.
func newOperationRequestedOf(t Type) func() Event {
	return func() Event { return &OperationRequested{Of: t} }
}

// newForeignOf returns the constructor of the events of a type that this product
// never writes.
func newForeignOf(t Type) func() Event { return func() Event { return &Foreign{Of: t} } }

// audience is the group of users who may see the entries of a type.
type audience uint8

const (
	everyone audience = iota
	userManagers
)

// The resources that most types of entries are about.
const (
	resourceApplication = "Application"
	resourceUser        = "User"
	resourceProfile     = "Profile"
	resourceHost        = "Host"
	resourceCluster     = "Cluster"
	resourceSAPSystem   = "SAP System"
	resourceDatabase    = "Database"
	resourceServer      = "Server"
)

// catalogue defines all types, in the order in which filters list them.
var catalogue = []typeDefinition{
	// Sign-in and user management.
	{1, newEventOf[LoginAttempt](), "Login Attempt", textByEvent, resourceApplication, severityByEvent, userManagers},
	{2, newEventOf[UserCreation](), "User Created", textByEvent, resourceUser, Info, userManagers},
	{3, newEventOf[UserModification](), "User Modified", textByEvent, resourceUser, Info, userManagers},
	{4, newEventOf[UserDeletion](), "User Deleted", "User was deleted", resourceUser, Warning, userManagers},
	{5, newEventOf[ProfileUpdate](), "Profile Updated", "User modified profile", resourceProfile, Info, userManagers},
	{6, newEventOf[PersonalAccessTokenCreation](), "Personal Access Token Created", "Personal access token was created", resourceProfile, Info, userManagers},
	{7, newEventOf[PersonalAccessTokenDeletion](), "Personal Access Token Deleted", "Personal access token was deleted", resourceProfile, Warning, userManagers},
	{8, newEventOf[PersonalAccessTokenAdminDeletion](), "Personal Access Token Deleted by Admin", "Personal access token was deleted by admin", resourceUser, Warning, userManagers},
	{9, newEventOf[PersonalAccessTokenModification](), "Personal Access Token Modified", "Personal access token was modified", textByEvent, Info, userManagers},
	{10, newEventOf[PersonalAccessTokenRegeneration](), "Personal Access Token Regenerated", "Personal access token was regenerated", textByEvent, Warning, userManagers},
	{11, newEventOf[PersonalAccessTokenExpiration](), "Personal Access Token Expired", "Personal access token was expired", textByEvent, Warning, userManagers},
	{12, newForeignOf(TypeAIConfigurationCreation), "AI Configuration Created", "AI configuration was created", resourceProfile, Info, userManagers},
	{13, newForeignOf(TypeAIConfigurationModification), "AI Configuration Updated", "AI configuration was updated", resourceProfile, Info, userManagers},
	{14, newForeignOf(TypeAIConfigurationDeletion), "AI Configuration Cleared", "AI configuration was cleared", resourceProfile, Info, userManagers},

	// Settings, tags, checks and clean-up.
	{15, newEventOf[ResourceTagging](), "Tag Added", textByEvent, textByEvent, Info, everyone},
	{16, newEventOf[ResourceUntagging](), "Tag Removed", textByEvent, textByEvent, Info, everyone},
	{17, newEventOf[APIKeyGeneration](), "API Key Generated", "API Key was generated", "API Key", Info, everyone},
	{123, newEventOf[MessageCredentialRotation](), "Message Credential Rotated", "Password for messages to agents was replaced", "Message Credential", Info, everyone},
	{126, newEventOf[BackupCreation](), "Backup Made", "Backup was made", "Backup", Info, everyone},
	{127, newEventOf[BackupFailure](), "Backup Failed", textByEvent, "Backup", Critical, everyone},
	{128, newEventOf[AlertGivenUp](), "Alert Given Up", textByEvent, "Alert", Critical, everyone},
	{129, newEventOf[AlertsDiscarded](), "Alerts Discarded", textByEvent, "Alert", Warning, everyone},
	{130, newEventOf[WritingInterruption](), "Writing Interrupted", textByEvent, resourceServer, Critical, everyone},
	{131, newEventOf[ClockChange](), "Clock Changed", textByEvent, resourceServer, Warning, everyone},
	{132, newEventOf[SupportBundleCreation](), "Support Bundle Made", "Support bundle was made", resourceApplication, Info, everyone},
	{137, newEventOf[ForwardingInterruption](), "Forwarding Interrupted", textByEvent, resourceServer, Warning, everyone},
	{138, newEventOf[ForwardingResumption](), "Forwarding Resumed", textByEvent, resourceServer, Info, everyone},
	{133, newEventOf[WebhookCreation](), "Webhook Created", textByEvent, "Webhook", Info, everyone},
	{134, newEventOf[WebhookModification](), "Webhook Modified", textByEvent, "Webhook", Info, everyone},
	{135, newEventOf[WebhookDeletion](), "Webhook Deleted", textByEvent, "Webhook", Warning, everyone},
	{136, newEventOf[WebhookDisabling](), "Webhook Disabled", textByEvent, "Webhook", Critical, everyone},
	{139, newEventOf[SharedViewCreation](), "Shared View Added", textByEvent, "Shared View", Info, everyone},
	{140, newEventOf[SharedViewModification](), "Shared View Changed", textByEvent, "Shared View", Info, everyone},
	{141, newEventOf[SharedViewDeletion](), "Shared View Removed", textByEvent, "Shared View", Info, everyone},
	{142, newEventOf[DisplayCreation](), "Screen Added", textByEvent, "Screen", Info, everyone},
	{143, newEventOf[DisplayPairing](), "Screen Connected", textByEvent, "Screen", Warning, everyone},
	{144, newEventOf[DisplayDeletion](), "Screen Removed", textByEvent, "Screen", Info, everyone},
	{18, newForeignOf(TypeSavingSUMASettings), "SUSE Multi-Linux Manager Settings Saved", "SUSE Multi-Linux Manager Settings were saved", "SUSE Multi-Linux Manager Settings", Info, everyone},
	{19, newForeignOf(TypeChangingSUMASettings), "SUSE Multi-Linux Manager Settings Changed", "SUSE Multi-Linux Manager Settings were changed", "SUSE Multi-Linux Manager Settings", Info, everyone},
	{20, newForeignOf(TypeClearingSUMASettings), "SUSE Multi-Linux Manager Settings Cleared", "SUSE Multi-Linux Manager Settings were cleared", "SUSE Multi-Linux Manager Settings", Warning, everyone},
	{21, newEventOf[AlertingSettingsSaving](), "Alerting Settings Saved", "Alerting Settings were saved", "Alerting Settings", Info, everyone},
	{22, newEventOf[AlertingSettingsChange](), "Alerting Settings Changed", "Alerting Settings were changed", "Alerting Settings", Info, everyone},
	{23, newEventOf[ActivityLogSettingsUpdate](), "Activity Log Settings Updated", "Activity log settings were updated", "Activity Log Settings", Debug, everyone},
	{24, newEventOf[PersonalAccessTokenSettingsUpdate](), "Personal Access Token Settings Updated", "Personal access token settings were updated", "Personal Access Token Settings", Info, everyone},
	{25, newEventOf[ClusterChecksSelected](), "Cluster Checks Selected", "Checks were selected for cluster", resourceCluster, Warning, everyone},
	{26, newEventOf[HostChecksSelected](), "Host Checks Selected", "Checks were selected for host", resourceHost, Warning, everyone},
	{27, newEventOf[ClusterChecksExecutionRequest](), "Cluster Checks Execution Requested", "Checks execution requested for cluster", resourceCluster, Info, everyone},
	{28, newEventOf[HostChecksExecutionRequest](), "Host Checks Execution Requested", "Checks execution requested for host", resourceHost, Info, everyone},
	{150, newEventOf[ChecksExecutionCompleted](), "Checks Execution Completed", textByEvent, textByEvent, severityByEvent, everyone},
	{160, newEventOf[FactsRequested](), "Facts Requested", textByEvent, resourceHost, Info, everyone},
	{151, newEventOf[CheckWaiverCreation](), "Check Waiver Created", textByEvent, textByEvent, Warning, everyone},
	{152, newEventOf[CheckWaiverModification](), "Check Waiver Changed", textByEvent, textByEvent, Warning, everyone},
	{153, newEventOf[CheckWaiverEnd](), "Check Waiver Ended", textByEvent, textByEvent, Warning, everyone},
	{124, newEventOf[HostDiscoveryRequested](), "Host Discovery Requested", "Reports were requested from the agent of the host", resourceHost, Info, everyone},
	{125, newEventOf[ClusterDiscoveryRequested](), "Cluster Discovery Requested", "Reports were requested from the agents of the cluster", resourceCluster, Info, everyone},
	{29, newEventOf[HostCleanupRequested](), "Host Cleanup Requested", "Host cleanup requested", resourceHost, Warning, everyone},
	{30, newEventOf[SAPSystemCleanupRequested](), "SAP System Cleanup Requested", "SAP System cleanup requested", resourceSAPSystem, Warning, everyone},
	{31, newEventOf[DatabaseCleanupRequested](), "Database Cleanup Requested", "Database cleanup requested", resourceDatabase, Warning, everyone},

	// Operations.
	{32, newOperationRequestedOf(TypeHostOperationRequested), "Host Operation Requested", textByEvent, resourceHost, Info, everyone},
	{33, newOperationRequestedOf(TypeClusterOperationRequested), "Cluster Operation Requested", textByEvent, resourceCluster, Info, everyone},
	{34, newOperationRequestedOf(TypeClusterHostOperationRequested), "Operation Requested on a cluster host", textByEvent, resourceCluster, Info, everyone},
	{35, newOperationRequestedOf(TypeApplicationInstanceOperationRequested), "Application Instance Operation Requested", textByEvent, "Application Instance", Info, everyone},
	{36, newOperationRequestedOf(TypeSAPSystemOperationRequested), "SAP System Operation Requested", textByEvent, resourceSAPSystem, Info, everyone},
	{37, newOperationRequestedOf(TypeDatabaseOperationRequested), "Database Operation Requested", textByEvent, resourceDatabase, Info, everyone},
	{38, newEventOf[OperationCompleted](), "Operation Completed", textByEvent, textByEvent, severityByEvent, everyone},

	// Check customization.
	{39, newEventOf[CheckCustomizationApplied](), "Check was customized", textByEvent, textByEvent, Warning, everyone},
	{40, newEventOf[CheckCustomizationReset](), "Check customization was reset", textByEvent, textByEvent, Info, everyone},

	// Host events.
	{41, newEventOf[HeartbeatFailed](), "Heartbeat Failed", "Host heartbeat failed", resourceHost, Warning, everyone},
	{42, newEventOf[HeartbeatSucceeded](), "Heartbeat Succeeded", "Host heartbeat succeeded", resourceHost, Debug, everyone},
	{43, newEventOf[HostRegistered](), "Host Registered", "A new host was registered", resourceHost, Info, everyone},
	{44, newEventOf[HostDetailsUpdated](), "Host Details Updated", "Host details were updated", resourceHost, Info, everyone},
	{45, newEventOf[HostHealthChanged](), "Host Health Changed", textByEvent, resourceHost, severityByEvent, everyone},
	{46, newEventOf[HostChecksHealthChanged](), "Checks Health Changed", textByEvent, resourceHost, severityByEvent, everyone},
	{47, newEventOf[HostSaptuneHealthChanged](), "Host Saptune Health Changed", textByEvent, resourceHost, severityByEvent, everyone},
	{48, newEventOf[SoftwareUpdatesHealthChanged](), "Software Updates Health Changed", textByEvent, resourceHost, severityByEvent, everyone},
	{49, newEventOf[SoftwareUpdatesDiscoveryRequested](), "Software Updates Discovery Requested", "Software updates discovery was requested", resourceHost, Debug, everyone},
	{50, newEventOf[SoftwareUpdatesDiscoveryCleared](), "Software Updates Discovery Cleared", "Software updates discovery was cleared", resourceHost, Debug, everyone},
	{51, newEventOf[ProviderUpdated](), "Provider Updated", "Host Provider was updated", resourceHost, Debug, everyone},
	{52, newEventOf[SaptuneStatusUpdated](), "Saptune Status Updated", "Host Saptune status was updated", resourceHost, Info, everyone},
	{53, newEventOf[SLESSubscriptionsUpdated](), "SLES Subscriptions Updated", "SLES subscriptions were updated", resourceHost, Debug, everyone},
	{120, newEventOf[HostIDShared](), "Host ID Shared", textByEvent, resourceHost, Warning, everyone},
	{121, newEventOf[HostIDUnshared](), "Host ID No Longer Shared", "Only one machine reports under the id of the host again", resourceHost, Info, everyone},
	{54, newEventOf[HostDeregistrationRequested](), "Host Deregistration Requested", "Deregistration for host was requested", resourceHost, Debug, everyone},
	{55, newEventOf[HostDeregistered](), "Host Deregistered", "Host was deregistered", resourceHost, Warning, everyone},
	{56, newEventOf[HostRestored](), "Host Restored", "Host was restored", resourceHost, Info, everyone},
	{117, newEventOf[AgentReportFaulty](), "Agent Report Faulty", textByEvent, resourceHost, Warning, everyone},
	{118, newEventOf[AgentReportRecovered](), "Agent Report Usable Again", textByEvent, resourceHost, Info, everyone},

	// Cluster events.
	{57, newEventOf[ClusterRegistered](), "Cluster Registered", "A new cluster was registered", resourceCluster, Info, everyone},
	{58, newEventOf[ClusterDetailsUpdated](), "Cluster Details Updated", "Cluster details were updated", resourceCluster, Debug, everyone},
	{59, newEventOf[ClusterHealthChanged](), "Cluster Health Changed", textByEvent, resourceCluster, severityByEvent, everyone},
	{60, newEventOf[ClusterChecksHealthChanged](), "Cluster Checks Health Changed", textByEvent, resourceCluster, severityByEvent, everyone},
	{61, newEventOf[ClusterReplicationHealthChanged](), "Cluster Replication Health Changed", textByEvent, resourceCluster, severityByEvent, everyone},
	{62, newEventOf[ClusterDistributedHealthChanged](), "Cluster Distributed Health Changed", textByEvent, resourceCluster, severityByEvent, everyone},
	{63, newEventOf[ClusterSBDHealthChanged](), "Cluster SBD Health Changed", textByEvent, resourceCluster, severityByEvent, everyone},
	{64, newEventOf[ClusterDiscoveredHealthChanged](), "Cluster Discovered Health Changed", textByEvent, resourceCluster, Info, everyone},
	{65, newEventOf[HostAddedToCluster](), "Host Added to Cluster", "Host was added to cluster", resourceCluster, Debug, everyone},
	{66, newEventOf[HostRemovedFromCluster](), "Host Removed from Cluster", "Host was removed from cluster", resourceCluster, Debug, everyone},
	{67, newEventOf[ClusterHostStatusChanged](), "Cluster Host Status Changed", textByEvent, resourceCluster, Info, everyone},
	{68, newEventOf[ClusterDataMarkedStale](), "Cluster Data Marked Stale", "Cluster data was marked stale", resourceCluster, Debug, everyone},
	{69, newEventOf[ClusterDataMarkedInSync](), "Cluster Data Marked In Sync", "Cluster data was marked in sync", resourceCluster, Debug, everyone},
	{70, newEventOf[ClusterDeregistered](), "Cluster Deregistered", "Cluster was deregistered", resourceCluster, Warning, everyone},
	{71, newEventOf[ClusterRestored](), "Cluster Restored", "Cluster was restored", resourceCluster, Info, everyone},

	// SAP system and application instance events.
	{72, newEventOf[ApplicationInstanceRegistered](), "Application Instance Registered", "Application instance was registered", resourceSAPSystem, Info, everyone},
	{73, newEventOf[ApplicationInstanceMoved](), "Application Instance Moved", "Application instance was moved", resourceSAPSystem, Info, everyone},
	{74, newEventOf[ApplicationInstanceStatusChanged](), "Application Instance Status Changed", textByEvent, resourceSAPSystem, severityByEvent, everyone},
	{75, newEventOf[ApplicationInstanceMarkedAbsent](), "Application Instance Marked Absent", "Application instance was marked absent", resourceSAPSystem, Warning, everyone},
	{76, newEventOf[ApplicationInstanceMarkedPresent](), "Application Instance Marked Present", "Application instance was marked present", resourceSAPSystem, Info, everyone},
	{77, newEventOf[ApplicationInstanceDataMarkedStale](), "Application Instance Data Marked Stale", "Application instance data was marked stale", resourceSAPSystem, Debug, everyone},
	{78, newEventOf[ApplicationInstanceDataMarkedInSync](), "Application Instance Data Marked In Sync", "Application instance data was marked in sync", resourceSAPSystem, Debug, everyone},
	{122, newEventOf[ApplicationInstanceSystemLost](), "Application Instance Lost Its System", textByEvent, resourceSAPSystem, Info, everyone},
	{79, newEventOf[ApplicationInstanceDeregistered](), "Application Instance Deregistered", "Application instance was deregistered", resourceSAPSystem, Warning, everyone},
	{80, newEventOf[SAPSystemRegistered](), "SAP System Registered", "A new SAP system was registered", resourceSAPSystem, Info, everyone},
	{81, newEventOf[SAPSystemUpdated](), "SAP System Updated", "SAP system was updated", resourceSAPSystem, Info, everyone},
	{82, newEventOf[SAPSystemHealthChanged](), "SAP System Health Changed", textByEvent, resourceSAPSystem, severityByEvent, everyone},
	{83, newEventOf[SAPSystemDatabaseHealthChanged](), "SAP System Database Health Changed", textByEvent, resourceSAPSystem, severityByEvent, everyone},
	{84, newEventOf[SAPSystemDataMarkedStale](), "SAP System Data Marked Stale", "SAP System data was marked stale", resourceSAPSystem, Debug, everyone},
	{85, newEventOf[SAPSystemDataMarkedInSync](), "SAP System Data Marked In Sync", "SAP System data was marked in sync", resourceSAPSystem, Debug, everyone},
	{86, newEventOf[SAPSystemDeregistered](), "SAP System Deregistered", "SAP system was deregistered", resourceSAPSystem, Warning, everyone},
	{87, newEventOf[SAPSystemRestored](), "SAP System Restored", "SAP system was restored", resourceSAPSystem, Debug, everyone},

	// Database events.
	{88, newEventOf[DatabaseRegistered](), "Database Registered", "A new database was registered", resourceDatabase, Info, everyone},
	{119, newEventOf[DatabaseUpdated](), "Database Updated", "Database was updated", resourceDatabase, Info, everyone},
	{89, newEventOf[DatabaseHealthChanged](), "Database Health Changed", textByEvent, resourceDatabase, severityByEvent, everyone},
	{90, newEventOf[DatabaseTenantsUpdated](), "Database Tenants Updated", "Database tenants were updated", resourceDatabase, Info, everyone},
	{91, newEventOf[DatabaseInstanceRegistered](), "Database Instance Registered", "Database instance was registered", resourceDatabase, Info, everyone},
	{92, newEventOf[DatabaseInstanceStatusChanged](), "Database Instance Status Changed", textByEvent, resourceDatabase, severityByEvent, everyone},
	{93, newEventOf[DatabaseInstanceSystemReplicationChanged](), "Database Instance System Replication Changed", textByEvent, resourceDatabase, Warning, everyone},
	{94, newEventOf[DatabaseInstanceMarkedAbsent](), "Database Instance Marked Absent", "Database instance was marked absent", resourceDatabase, Warning, everyone},
	{95, newEventOf[DatabaseInstanceMarkedPresent](), "Database Instance Marked Present", "Database instance was marked present", resourceDatabase, Info, everyone},
	{96, newEventOf[DatabaseInstanceDataMarkedStale](), "Database Instance Data Marked Stale", "Database instance data was marked stale", resourceDatabase, Debug, everyone},
	{97, newEventOf[DatabaseInstanceDataMarkedInSync](), "Database Instance Data Marked In Sync", "Database instance data was marked in sync", resourceDatabase, Debug, everyone},
	{98, newEventOf[DatabaseInstanceDeregistered](), "Database Instance Deregistered", "Database instance was deregistered", resourceDatabase, Warning, everyone},
	{99, newEventOf[DatabaseDataMarkedStale](), "Database Data Marked Stale", "Database data was marked stale", resourceDatabase, Debug, everyone},
	{100, newEventOf[DatabaseDataMarkedInSync](), "Database Data Marked In Sync", "Database data was marked in sync", resourceDatabase, Debug, everyone},
	{101, newEventOf[DatabaseDeregistered](), "Database Deregistered", "Database was deregistered", resourceDatabase, Warning, everyone},
	{102, newEventOf[DatabaseRestored](), "Database Restored", "Database was restored", resourceDatabase, Info, everyone},

	// Maintenance of an event store, which this product does not have. It never
	// writes these types, but shows them if entries were imported.
	{103, newForeignOf(TypeHostTombstoned), "Host Tombstoned", "Host was tombstoned", resourceHost, Debug, everyone},
	{104, newForeignOf(TypeClusterTombstoned), "Cluster Tombstoned", "Cluster was tombstoned", resourceCluster, Debug, everyone},
	{105, newForeignOf(TypeSAPSystemTombstoned), "SAP System Tombstoned", "SAP system was tombstoned", resourceSAPSystem, Debug, everyone},
	{106, newForeignOf(TypeDatabaseTombstoned), "Database Tombstoned", "Database was tombstoned", resourceDatabase, Debug, everyone},
	{107, newForeignOf(TypeHostRollUpRequested), "Host Roll Up Requested", "Roll up for host was requested", resourceHost, Debug, everyone},
	{108, newForeignOf(TypeClusterRollUpRequested), "Cluster Roll Up Requested", "Roll up for cluster was requested", resourceCluster, Debug, everyone},
	{109, newForeignOf(TypeSAPSystemRollUpRequested), "SAP System Roll Up Requested", "Roll up for SAP system was requested", resourceSAPSystem, Debug, everyone},
	{110, newForeignOf(TypeDatabaseRollUpRequested), "Database Roll Up Requested", "Roll up for database was requested", resourceDatabase, Info, everyone},
	{111, newForeignOf(TypeHostRolledUp), "Host Rolled Up", "Host was rolled up", resourceHost, Debug, everyone},
	{112, newForeignOf(TypeClusterRolledUp), "Cluster Rolled Up", "Cluster was rolled up", resourceCluster, Debug, everyone},
	{113, newForeignOf(TypeSAPSystemRolledUp), "SAP System Rolled Up", "SAP system was rolled up", resourceSAPSystem, Debug, everyone},
	{114, newForeignOf(TypeDatabaseRolledUp), "Database Rolled Up", "Database was rolled up", resourceDatabase, Debug, everyone},

	// Types of old versions, never written.
	{115, newForeignOf(TypeApplicationInstanceHealthChanged), "Application Instance Health Changed", "Application instance health changed", resourceSAPSystem, Info, everyone},
	{116, newForeignOf(TypeDatabaseInstanceHealthChanged), "Database Instance Health Changed", "Database instance health changed", resourceDatabase, Info, everyone},
}

var (
	definitionByType = indexByType()
	typeByCode       = indexByCode()
)

func (d *typeDefinition) eventType() Type { return d.event().Type() }

func indexByType() map[Type]*typeDefinition {
	index := make(map[Type]*typeDefinition, len(catalogue))
	for i := range catalogue {
		index[catalogue[i].eventType()] = &catalogue[i]
	}
	return index
}

func indexByCode() map[uint16]Type {
	index := make(map[uint16]Type, len(catalogue))
	for i := range catalogue {
		index[catalogue[i].code] = catalogue[i].eventType()
	}
	return index
}
