package activity

import (
	"fmt"
	"strings"
)

// OperationRequested tells that somebody has asked for an operation. Which of
// the types it is follows from what the operation works on.
type OperationRequested struct {
	Of        Type   `json:"-"`
	Operation string `json:"operation"`
}

func (e *OperationRequested) Type() Type { return e.Of }
func (e *OperationRequested) message() string {
	return fmt.Sprintf("Operation %s requested", operationLabel(e.Operation))
}

// OperationCompleted tells what became of an operation.
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

// operations are what people call the operations, and what these work on.
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

// CustomizedCheck is the check that was customized, and for what.
type CustomizedCheck struct {
	CheckID    string `json:"check_id"`
	TargetType string `json:"target_type"` // "host" or "cluster"
}

func (c *CustomizedCheck) resource() string {
	if label, ok := resourceLabels[c.TargetType]; ok {
		return label
	}
	return "Unable to determine target type"
}

// CheckCustomizationApplied tells that a check expects other values.
type CheckCustomizationApplied struct{ CustomizedCheck }

func (*CheckCustomizationApplied) Type() Type { return TypeCheckCustomizationApplied }
func (e *CheckCustomizationApplied) message() string {
	return fmt.Sprintf("Check %s was customized", e.CheckID)
}

// CheckCustomizationReset tells that a check expects its own values again.
type CheckCustomizationReset struct{ CustomizedCheck }

func (*CheckCustomizationReset) Type() Type { return TypeCheckCustomizationReset }
func (e *CheckCustomizationReset) message() string {
	return fmt.Sprintf("Customization for check %s was reset", e.CheckID)
}
