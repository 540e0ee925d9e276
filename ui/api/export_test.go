package api

import (
	"reflect"

	"trento/store"
	"trento/store/finding"
	"trento/store/landscape"
	"trento/ui/stream"
)

// DescribeAll is what GET /api/all/openapi answers.
func DescribeAll(version string) ([]byte, error) { return describeAPI("", allPaths, version) }

// AnswerTypes are the types whose JSON the schemas of these names describe.
var AnswerTypes = map[string]reflect.Type{
	"HealthHistory":      reflect.TypeFor[healthHistory](),
	"ThingAvailability":  reflect.TypeFor[thingAvailability](),
	"FoundThing":         reflect.TypeFor[FoundThing](),
	"Forwarding":         reflect.TypeFor[forwardingStatus](),
	"Ability":            reflect.TypeFor[ability](),
	"AWSMachine":         reflect.TypeFor[landscape.AWSVM](),
	"ActivityLogPage":    reflect.TypeFor[entryPage](),
	"Agent":              reflect.TypeFor[agentStatus](),
	"Alerts":             reflect.TypeFor[alertsAnswer](),
	"Event":              reflect.TypeFor[stream.Event](),
	"Webhook":            reflect.TypeFor[shownWebhook](),
	"WebhookDelivery":    reflect.TypeFor[shownDelivery](),
	"Incident":           reflect.TypeFor[incident](),
	"Waiver":             reflect.TypeFor[waiver](),
	"Display":            reflect.TypeFor[shownDisplay](),
	"SharedView":         reflect.TypeFor[sharedView](),
	"DisplayWithCode":    reflect.TypeFor[displayWithCode](),
	"WebhookWithSecret":  reflect.TypeFor[webhookWithSecret](),
	"AnyToken":           reflect.TypeFor[anyToken](),
	"ASCSERSDetails":     reflect.TypeFor[landscape.ASCSERSDetails](),
	"AzureMachine":       reflect.TypeFor[landscape.AzureVM](),
	"Cluster":            reflect.TypeFor[cluster](),
	"ClusterV1":          reflect.TypeFor[clusterCommon](),
	"Database":           reflect.TypeFor[database](),
	"GCPMachine":         reflect.TypeFor[landscape.GCPVM](),
	"HANADetails":        reflect.TypeFor[landscape.HANADetails](),
	"HANADetailsV1":      reflect.TypeFor[hanaDetailsV1](),
	"HealthSummary":      reflect.TypeFor[healthSummary](),
	"Host":               reflect.TypeFor[host](),
	"Profile":            reflect.TypeFor[profile](),
	"SAPSystem":          reflect.TypeFor[sapSystem](),
	"SessionPage":        reflect.TypeFor[sessionPage](),
	"Token":              reflect.TypeFor[ownToken](),
	"TokenPage":          reflect.TypeFor[tokenPage](),
	"TokenSettings":      reflect.TypeFor[store.TokenSettings](),
	"TokenUsePage":       reflect.TypeFor[tokenUsePage](),
	"User":               reflect.TypeFor[user](),
	"InstallationReport": reflect.TypeFor[finding.Report](),
}

// UnbuiltRoutes are the routes that answer that their feature is not built.
func (a *API) UnbuiltRoutes() []Route { return a.unbuiltRoutes() }
