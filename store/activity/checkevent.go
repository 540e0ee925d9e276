package activity

import (
	"fmt"
	"strings"
	"time"
)

// CheckedThing is the common part of events about the checks of a cluster or
// host. One of the ids is "".
type CheckedThing struct {
	ClusterID string `json:"cluster_id,omitempty"`
	HostID    string `json:"host_id,omitempty"`
	Name      string `json:"name,omitempty"` // "" if the cluster has none
}

// Checked returns the id and the name for reading and writing.
func (c *CheckedThing) Checked() *CheckedThing { return c }

func (c *CheckedThing) resource() string {
	if c.ClusterID != "" {
		return resourceCluster
	}
	return resourceHost
}

// CheckedEvent is an event with a CheckedThing.
type CheckedEvent interface{ Checked() *CheckedThing }

// ClusterChecksExecutionRequest says that a user has asked to run the checks of
// a cluster.
type ClusterChecksExecutionRequest struct {
	Correlated
	AboutCluster
	ExecutionID string `json:"execution_id"`
}

func (*ClusterChecksExecutionRequest) Type() Type { return TypeClusterChecksExecutionRequest }

// HostChecksExecutionRequest says that a user has asked to run the checks of a
// host.
type HostChecksExecutionRequest struct {
	Correlated
	AboutHost
	ExecutionID string `json:"execution_id"`
}

func (*HostChecksExecutionRequest) Type() Type { return TypeHostChecksExecutionRequest }

// FactsRequested says that a user has asked the agent of a host for facts, to see
// them.
type FactsRequested struct {
	Correlated
	AboutHost
	Facts []string `json:"facts"` // such as sysctl@v1(vm.swappiness)
}

func (*FactsRequested) Type() Type { return TypeFactsRequested }
func (e *FactsRequested) message() string {
	return "Facts of the host were asked for: " + strings.Join(e.Facts, ", ")
}

// ChecksExecutionCompleted says that the checks of a cluster or host have come
// to another result than the last time.
type ChecksExecutionCompleted struct {
	Correlated
	CheckedThing
	ExecutionID string `json:"execution_id"`
	Result      string `json:"result"`
	// PreviousResult is nil for the first execution.
	PreviousResult *string  `json:"previous_result"`
	FailedChecks   []string `json:"failed_checks"`
}

func (*ChecksExecutionCompleted) Type() Type { return TypeChecksExecutionCompleted }
func (e *ChecksExecutionCompleted) message() string {
	return fmt.Sprintf("Checks completed with result %s", e.Result)
}
func (e *ChecksExecutionCompleted) severity() Severity { return severityOfKnownHealth(e.Result) }

// WaivedCheck is the failure that a waiver is about, and the waiver.
type WaivedCheck struct {
	CheckedThing
	WaiverID string    `json:"waiver_id"`
	CheckID  string    `json:"check_id"`
	AgentID  string    `json:"agent_id,omitempty"` // "": on all hosts
	Reason   string    `json:"reason"`
	Until    time.Time `json:"until"`
}

// CheckWaiverCreation says that a failure of a check no longer counts.
type CheckWaiverCreation struct{ WaivedCheck }

func (*CheckWaiverCreation) Type() Type { return TypeCheckWaiverCreation }
func (e *CheckWaiverCreation) message() string {
	return fmt.Sprintf("Failures of check %s were waived", e.CheckID)
}

// CheckWaiverModification says that a waiver has another reason or end.
type CheckWaiverModification struct{ WaivedCheck }

func (*CheckWaiverModification) Type() Type { return TypeCheckWaiverModification }
func (e *CheckWaiverModification) message() string {
	return fmt.Sprintf("The waiver of check %s was changed", e.CheckID)
}

// CheckWaiverEnd says that failures of a check count again.
type CheckWaiverEnd struct {
	WaivedCheck
	Expired bool `json:"expired"` // false: a user has ended it
}

func (*CheckWaiverEnd) Type() Type { return TypeCheckWaiverEnd }
func (e *CheckWaiverEnd) message() string {
	if e.Expired {
		return fmt.Sprintf("The waiver of check %s has expired", e.CheckID)
	}
	return fmt.Sprintf("The waiver of check %s was ended", e.CheckID)
}
