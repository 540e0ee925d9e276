package discovery

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"trento/store/landscape"
)

const (
	unknownValue    = "unknown" // stands for a missing or unknown value in records
	selfBuiltSource = "devel"   // the installation source of an agent that was not installed from a package
	prometheusPull  = "pull"
	prometheusPush  = "push"
)

// decodeHost reads a host_discovery. It refuses a report without a hostname.
func decodeHost(payload value, r *findings) (*landscape.HostFacts, error) {
	if !payload.isObject() {
		return nil, errUnknownForm()
	}
	f := readPayload(payload, nil, r)
	host := &landscape.HostFacts{
		Hostname:           f.requiredText("hostname"),
		FQDN:               f.text("fully_qualified_domain_name"),
		Addresses:          f.addresses(),
		AgentVersion:       cmp.Or(f.expectedText("agent_version"), unknownValue),
		Arch:               f.listedText("arch", "x86_64", "ppc64le", "s390x"),
		CPUCount:           f.countOrZero("cpu_count"),
		SocketCount:        f.countOrZero("socket_count"),
		MemoryMB:           f.countOrZero("total_memory_mb"),
		OSVersion:          cmp.Or(f.expectedText("os_version"), unknownValue),
		InstallationSource: f.listedText("installation_source", "community", "suse"),
		PrometheusTargets:  f.prometheusTargets(),
		PrometheusMode:     f.prometheusMode(),
		SystemdUnits:       f.systemdUnits(),
		LastBoot:           f.timestamp("last_boot_timestamp"),
	}
	if v, ok := f.valueOf("fully_qualified_domain_name"); ok && !v.isString() {
		host.FQDNUnread = true
	}
	return host, nil
}

// countOrZero reads a number that counts things; 0 if it is missing.
func (f *fields) countOrZero(name string) int {
	if n := f.expectedInteger(name); n != nil {
		return *n
	}
	return 0
}

// listedText reads a text that should be in a list, in lower case. It replaces any
// other text by unknown and keeps the host, which may be a new kind of machine
// or have an agent that somebody built themselves.
func (f *fields) listedText(name string, known ...string) string {
	text := strings.ToLower(f.text(name))
	if slices.Contains(known, text) {
		return text
	}
	if text != "" && text != unknownValue && text != selfBuiltSource {
		f.leaveOut(name, reasonNotKnown)
	}
	return unknownValue
}

// addresses reads the IPv4 addresses except loopback addresses, each with the
// prefix length at the same index. It returns nil if the list is missing; an
// empty list has another meaning.
func (f *fields) addresses() []landscape.Address {
	f.noteEmpty("ip_addresses")
	texts, masks := f.elements("ip_addresses"), f.elements("netmasks")
	if texts == nil {
		return nil
	}
	list := []landscape.Address{}
	for i, text := range texts {
		ip, ok := f.address(i, text)
		if !ok {
			continue
		}
		address := landscape.Address{IP: ip}
		if i < len(masks) {
			address.Prefix = f.prefixLength(i, masks[i])
		}
		list = append(list, address)
	}
	return list
}

// address reads an address. It returns false for an address that other hosts
// cannot use, and for a value that is not an address; the latter is listed in the
// omissions of the report.
func (f *fields) address(i int, v value) (netip.Addr, bool) {
	if v.isNull() || v.isBlank() {
		return netip.Addr{}, false
	}
	var ip netip.Addr
	var err error
	if v.isString() {
		ip, err = netip.ParseAddr(v.text())
	}
	if !v.isString() || err != nil {
		f.omit(f.pointer("ip_addresses")+"/"+strconv.Itoa(i), notAddress, v)
		return ip, false
	}
	return ip, ip.Is4() && ip != netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// prefixLength reads the prefix length of an address; nil if it is missing.
func (f *fields) prefixLength(i int, v value) *int {
	if v.isNull() || v.isBlank() {
		return nil
	}
	n, ok := parseInteger(v)
	if !ok || n < 0 || n > 32 {
		f.omit(f.pointer("netmasks")+"/"+strconv.Itoa(i), notPrefix, v)
		return nil
	}
	return &n
}

// elements returns the elements of an array; nil if there is no array.
func (f *fields) elements(name string) []value {
	v := f.array(name)
	if v.isAbsent() {
		return nil
	}
	list := []value{}
	for _, element := range v.elements() {
		list = append(list, element)
	}
	return list
}

// prometheusTargets reads the addresses of the exporters of a host. It returns
// nil if the agent is too old to send them; an empty list has another meaning.
func (f *fields) prometheusTargets() map[string]string {
	inner := f.nested("prometheus_targets")
	if !inner.isPresent() {
		return nil
	}
	targets := make(map[string]string)
	for _, exporter := range slices.Sorted(maps.Keys(inner.members)) {
		if target := inner.text(exporter); target != "" {
			targets[exporter] = target
		}
	}
	return targets
}

// prometheusMode reads the way in which the metrics of the host are collected.
func (f *fields) prometheusMode() string {
	mode := strings.ToLower(f.text("prometheus_mode"))
	switch mode {
	case "":
		return prometheusPull
	case prometheusPull, prometheusPush:
		return mode
	}
	f.leaveOut("prometheus_mode", reasonNotKnown)
	return unknownValue
}

func (f *fields) systemdUnits() []landscape.SystemdUnit {
	units := []landscape.SystemdUnit{}
	for unit := range f.objects("systemd_units") {
		if name := unit.expectedText("name"); name != "" {
			state := cmp.Or(unit.expectedText("unit_file_state"), unknownValue)
			units = append(units, landscape.SystemdUnit{Name: name, UnitFileState: state})
		}
	}
	return units
}

// timestamp reads a time, in whole seconds and UTC; nil if there is none. A
// time without an offset is in UTC.
func (f *fields) timestamp(name string) *time.Time {
	text := f.text(name)
	if text == "" {
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", time.DateTime} {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		t = t.UTC().Truncate(time.Second)
		if t.Year() < 0 || t.Year() > 9999 { // the offset can move it to a year that cannot be written as text
			break
		}
		return &t
	}
	f.leaveOut(name, notTime)
	return nil
}
