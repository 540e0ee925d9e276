package certificate

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

// Status describes the present certificate.
type Status struct {
	Names    []string // host names and addresses
	Issuer   string
	NotAfter time.Time
	// Fingerprint is the SHA-256 of the certificate as browsers show it.
	Fingerprint string
	SelfSigned  bool // no authority has issued it, so that clients cannot verify it
	// Faults are sentences, without a full stop, about what a person has to do
	// something about.
	Faults []string
	// Refused: clients that verify certificates refuse it already.
	Refused bool
}

// Status describes the present certificate.
func (k *Keeper) Status() Status {
	leaf := k.current.Load().Leaf
	k.mutex.Lock()
	failure := k.failure
	k.mutex.Unlock()
	s := Status{
		Names: names(leaf), Issuer: issuer(leaf), NotAfter: leaf.NotAfter, Fingerprint: fingerprint(leaf),
		SelfSigned: isSelfSigned(leaf), Faults: k.faults(leaf), Refused: k.isRefused(leaf),
	}
	if failure != "" {
		s.Faults = append(s.Faults, "it could not be replaced: "+failure)
	}
	return s
}

// Name returns the host name to recommend to clients: preferred, if the present
// certificate is for it, else a name of the certificate.
func (k *Keeper) Name(preferred string) string {
	leaf := k.current.Load().Leaf
	if covers(leaf, preferred) {
		return preferred
	}
	for _, name := range leaf.DNSNames {
		if !strings.HasPrefix(name, "*.") {
			return name
		}
	}
	return preferred
}

// A certificate should be replaced before the rest of its life is soon or a
// fifth of its life, whichever is less.
const (
	expiryWarningTime    = 14 * 24 * time.Hour
	expiryWarningDivisor = 5
)

// faults returns what is wrong with a certificate.
func (k *Keeper) faults(leaf *x509.Certificate) (faults []string) {
	now := k.now()
	rest := leaf.NotAfter.Sub(now)
	switch {
	case now.Before(leaf.NotBefore):
		faults = append(faults, fmt.Sprintf("it is valid only from %s on; is the clock of this machine right?", date(leaf.NotBefore)))
	case rest <= 0:
		faults = append(faults, fmt.Sprintf("it has expired on %s, so agents and browsers refuse it", date(leaf.NotAfter)))
	case rest < min(expiryWarningTime, leaf.NotAfter.Sub(leaf.NotBefore)/expiryWarningDivisor):
		faults = append(faults, fmt.Sprintf("it expires on %s, and agents and browsers will refuse it then", date(leaf.NotAfter)))
	}
	if host := k.options.Host; host != "" && !covers(leaf, host) {
		faults = append(faults, fmt.Sprintf("it is not for %s, so agents and browsers that use this name refuse it", host))
	}
	return faults
}

// isRefused reports whether clients refuse a certificate for its age or its name.
func (k *Keeper) isRefused(leaf *x509.Certificate) bool {
	now, host := k.now(), k.options.Host
	return now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) || host != "" && !covers(leaf, host)
}

func date(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 MST") }

// names returns the host names and addresses for which a certificate is valid.
func names(leaf *x509.Certificate) []string {
	all := append([]string(nil), leaf.DNSNames...)
	for _, address := range leaf.IPAddresses {
		all = append(all, address.String())
	}
	return all
}

func issuer(leaf *x509.Certificate) string {
	return cmp.Or(leaf.Issuer.CommonName, strings.Join(leaf.Issuer.Organization, ", "), leaf.Issuer.String())
}

func isSelfSigned(leaf *x509.Certificate) bool {
	return string(leaf.RawIssuer) == string(leaf.RawSubject) && leaf.CheckSignatureFrom(leaf) == nil
}

func fingerprint(leaf *x509.Certificate) string {
	sum := sha256.Sum256(leaf.Raw)
	var text strings.Builder
	for i, b := range sum {
		if i > 0 {
			text.WriteByte(':')
		}
		fmt.Fprintf(&text, "%02X", b)
	}
	return text.String()
}
