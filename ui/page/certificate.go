package page

import "time"

// Certificate describes the TLS certificate of this server.
type Certificate struct {
	Names       []string // host names and addresses for which it is valid
	Issuer      string
	NotAfter    time.Time
	Fingerprint string // SHA-256, as browsers show it
	SelfSigned  bool   // no authority has issued it
	Faults      []string
}
