package activity

import (
	"fmt"
	"strings"
)

// OperationRequested says that a user has requested an operation. Its type
// depends on the kind of thing that the operation is for.
type OperationRequested struct {
	Of        Type   `json:"-"`
	Operation string `json:"operation"`
}

func (e *OperationRequested) Type() Type { return e.Of }
func (e *OperationRequested) message() string {
	return fmt.Sprintf("Operation %s requested", operationLabel(e.Operation))
}

// OperationCompleted says that an operation has ended.
type OperationCompleted struct {
	Operation string `json:"operation"`
	Result    string `json:"result"`
}

func (*OperationCompleted) Type() Type { return TypeOperationCompleted }
func (e *OperationCompleted) message() string {
	if e.Result == "REQUEST_FAILED" {
		return fmt.Sprintf("Operation %s request failed", operationLabel(e.Operation))
	}
	return fmt.Sprintf("Operation %s completed", operationLabel(e.Operation))
}
func (e *OperationCompleted) resource() string {
	if operation, ok := operations[e.Operation]; ok {
		return operation.resource
	}
	return "Unable to determine operation type"
}
func (e *OperationCompleted) severity() Severity {
	switch strings.ToUpper(e.Result) {
	case "UPDATED", "NOT_UPDATED":
		return Info
	}
	return Critical
}

// operations holds the label of each operation, and the kind of thing that it
// is for.
var operations = map[string]struct{ label, resource string }{
	"saptune_solution_apply":     {"Apply Saptune solution", "Host"},
	"saptune_solution_change":    {"Change Saptune solution", "Host"},
	"reboot":                     {"Reboot host", "Host"},
	"cluster_maintenance_change": {"Cluster maintenance change", "Cluster"},
	"cluster_resource_refresh":   {"Refresh cluster resources", "Cluster"},
	"cluster_host_start":         {"Set node online in cluster", "Host"},
	"cluster_host_stop":          {"Set node offline in cluster", "Host"},
	"pacemaker_enable":           {"Enable Pacemaker", "Host"},
	"pacemaker_disable":          {"Disable Pacemaker", "Host"},
	"sap_instance_start":         {"SAP instance start", "Application Instance"},
	"sap_instance_stop":          {"SAP instance stop", "Application Instance"},
	"sap_system_start":           {"SAP system start", "SAP System"},
	"sap_system_stop":            {"SAP system stop", "SAP System"},
	"database_start":             {"Database start", "Database"},
	"database_stop":              {"Database stop", "Database"},
}

func operationLabel(name string) string {
	if operation, ok := operations[name]; ok {
		return operation.label
	}
	return "unknown"
}

// CustomizedCheck is the customized check, with the kind of its target.
type CustomizedCheck struct {
	CheckID    string `json:"check_id"`
	GroupID    string `json:"group_id"`    // of the cluster or host
	TargetType string `json:"target_type"` // "host", "cluster", or "unknown" if the check is gone
}

func (c *CustomizedCheck) resource() string {
	if label, ok := resourceLabels[c.TargetType]; ok {
		return label
	}
	return "Unable to determine target type"
}

// CheckCustomizationApplied says that the expected values of a check were
// changed.
type CheckCustomizationApplied struct {
	CustomizedCheck
	Values Document `json:"custom_values"` // a list of names and values
}

func (*CheckCustomizationApplied) Type() Type { return TypeCheckCustomizationApplied }
func (e *CheckCustomizationApplied) message() string {
	return fmt.Sprintf("Check %s was customized", e.CheckID)
}

// CheckCustomizationReset says that a check has its original expected values
// again.
type CheckCustomizationReset struct{ CustomizedCheck }

func (*CheckCustomizationReset) Type() Type { return TypeCheckCustomizationReset }
func (e *CheckCustomizationReset) message() string {
	return fmt.Sprintf("Customization for check %s was reset", e.CheckID)
}
