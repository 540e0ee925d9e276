package activity

// InstanceFacts are the facts that a host reports about an SAP instance on it.
type InstanceFacts struct {
	Hostname      *string `json:"instance_hostname"` // nil: not reported
	Features      string  `json:"features"`
	HTTPPort      *int    `json:"http_port"`  // nil: none
	TLSPort       *int    `json:"https_port"` // nil: none
	StartPriority string  `json:"start_priority"`
	Status        string  `json:"status"`
}
