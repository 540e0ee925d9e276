package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// ourPrefixes are prefixes of our variables that few other programs use. An
// unknown variable with such a prefix is probably a mistake. Prefixes that
// desktops, shells and containers use as well are left out: ENABLE_, SESSION_,
// LOG_.
var ourPrefixes = []string{"TRENTO_", "OIDC_", "OAUTH2_", "SAML_", "ADMIN_", "ALERT_", "SMTP_", "HOST_HEARTBEAT_", "PRUNE_EVENTS_", "AMQP_", "TLS_ACME_", "MAX_CONNECTIONS"}

// serviceLinkSuffix matches the end of variables that Kubernetes and Docker set for
// every service beside a container, even for one called trento-web.
var serviceLinkSuffix = regexp.MustCompile(`_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$|_PORT$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?$`)

// noticeUnknown adds notices about unknown variables that look like ours: they
// have one of our prefixes, or differ from one of our names by a typo.
func (l *loader) noticeUnknown() {
	known := []string{
		"ADMIN_USERNAME",                // noticeUnused adds the notice about it
		"SSL_CERT_FILE", "SSL_CERT_DIR", // certificates that Go programs trust
		"TRENTO_SERVER", "TRENTO_TOKEN", "TRENTO_CA_FILE", // of commands that ask a server
	}
	known = append(known, obsoleteVariables...)
	for _, v := range l.variables {
		known = append(known, v.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(l.values)) {
		if l.values[name] == "" || slices.Contains(known, name) {
			continue
		}
		if near := l.similarVariable(name); near != "" {
			l.addNotice("Write "+near+" instead of "+printableName(name)+".", "%s is not a variable of Trento and is ignored: did you mean %s?", printableName(name), near)
			continue
		}
		ours := slices.ContainsFunc(ourPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if ours && !serviceLinkSuffix.MatchString(name) {
			l.addNotice("Remove "+printableName(name)+"; trento-web config --example lists all variables.", "%s is not a variable of Trento and is ignored", printableName(name))
		}
	}
}

// printableName returns a name in a form that fits into one line.
func printableName(name string) string {
	const shown = 60
	text := fmt.Sprintf("%q", name[:min(len(name), shown)])
	return text[1 : len(text)-1]
}

// similarVariable returns the variable whose name differs from an unknown name by one
// typo, or by two if the name is long. It returns "" if no variable does.
func (l *loader) similarVariable(name string) string {
	const longName = 8
	best, least := "", 3
	for _, v := range l.variables {
		allowed := 1
		if len(v.Name) >= longName {
			allowed = 2
		}
		if len(name) > len(v.Name)+allowed {
			continue
		}
		if slips := countTypos(strings.ToUpper(name), v.Name); slips <= allowed && slips < least {
			best, least = v.Name, slips
		}
	}
	return best
}

// countTypos returns the number of letters that are missing, added, wrong, or
// swapped with their neighbour.
func countTypos(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			wrong := 1
			if a[i] == b[j] {
				wrong = 0
			}
			next[j+1] = min(row[j]+wrong, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
