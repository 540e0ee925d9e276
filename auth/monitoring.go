package auth

import (
	"net/http"
	"slices"
)

// Monitoring says who may read the metrics, beside users and their tokens.
type Monitoring string

// Who may read the metrics. The zero value lets nobody else.
const (
	MonitoringOff      Monitoring = "off"      // nobody, not even users
	MonitoringToken    Monitoring = "token"    // users and tokens only
	MonitoringLoopback Monitoring = "loopback" // also programs on this machine
	MonitoringEveryone Monitoring = "everyone"
)

// isMonitor reports whether a request may read the metrics without credentials.
// What a proxy on this machine forwards does not come from this machine.
func (a *Auth) isMonitor(r *http.Request) bool {
	switch a.monitoring {
	case MonitoringEveryone:
		return true
	case MonitoringLoopback:
		return parsePeer(r.RemoteAddr).IsLoopback() && !isForwarded(r)
	}
	return false
}

// isForwarded reports whether a request has a header that proxies add.
func isForwarded(r *http.Request) bool {
	return slices.ContainsFunc(forwardingHeaders, func(name string) bool { return r.Header.Get(name) != "" })
}
