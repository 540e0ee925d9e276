package check

import "time"

// Waiver says that a failure of a check is accepted until some time.
type Waiver struct {
	CheckID string
	AgentID string // "": on all hosts
	Reason  string
	By      string // who accepts it
	Until   time.Time
}

// WaivedDocument says in a result that a failure does not count.
type WaivedDocument struct {
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	Until  time.Time `json:"until"`
}

// find returns the waiver for a check on a host, or for a whole check if agent
// is "".
func find(waivers []Waiver, check, agent string) *WaivedDocument {
	for _, w := range waivers {
		if w.CheckID == check && w.AgentID == agent {
			return &WaivedDocument{Reason: w.Reason, By: w.By, Until: w.Until}
		}
	}
	return nil
}
