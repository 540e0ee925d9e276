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
	unknown        = "unknown" // what is not told, or what we have no name for
	selfBuilt      = "devel"   // the source of an agent out of no package
	prometheusPull = "pull"
	prometheusPush = "push"
)

// decodeHost reads a host_discovery. It is the name of the host that it cannot
// be without.
func decodeHost(payload value, r *reading) (*landscape.HostFacts, error) {
	if !payload.object() {
		return nil, unable()
	}
	f := readPayload(payload, nil, r)
	host := &landscape.HostFacts{
		Hostname:           f.identity("hostname"),
		FQDN:               f.text("fully_qualified_domain_name"),
		Addresses:          f.addresses(),
		AgentVersion:       cmp.Or(f.expected("agent_version"), unknown),
		Arch:               f.oneOf("arch", "x86_64", "ppc64le", "s390x"),
		CPUCount:           f.count("cpu_count"),
		SocketCount:        f.count("socket_count"),
		MemoryMB:           f.count("total_memory_mb"),
		OSVersion:          cmp.Or(f.expected("os_version"), unknown),
		InstallationSource: f.oneOf("installation_source", "community", "suse"),
		PrometheusTargets:  f.prometheusTargets(),
		PrometheusMode:     f.prometheusMode(),
		SystemdUnits:       f.systemdUnits(),
		LastBoot:           f.moment("last_boot_timestamp"),
	}
	if v, ok := f.get("fully_qualified_domain_name"); ok && !v.string() {
		host.FQDNUnread = true
	}
	return host, nil
}

// count is a number of things; 0 where it is not told.
func (f *fields) count(name string) int {
	if n := f.expectedInteger(name); n != nil {
		return *n
	}
	return 0
}

// oneOf is a text out of a list, in lower case. A text that is not in it is
// unknown: a machine of a new kind, or an agent somebody built on a desk,
// belongs into the landscape too.
func (f *fields) oneOf(name string, known ...string) string {
	text := strings.ToLower(f.text(name))
	if slices.Contains(known, text) {
		return text
	}
	if text != "" && text != unknown && text != selfBuilt {
		f.leaveOut(name, notKnown)
	}
	return unknown
}

// addresses pairs addresses with prefix lengths by their place, as far as there
// are any, and drops what is no IPv4 address, and the loopback one. It is nil where there
// is no list, which is not to be taken for an empty one.
func (f *fields) addresses() []landscape.Address {
	f.noteNothing("ip_addresses")
	texts, masks := f.places("ip_addresses"), f.places("netmasks")
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
			address.Prefix = f.prefix(i, masks[i])
		}
		list = append(list, address)
	}
	return list
}

// address is an address that a host can be reached at. What is no address at
// all is left out.
func (f *fields) address(i int, v value) (netip.Addr, bool) {
	if v.null() || v.blank() {
		return netip.Addr{}, false
	}
	var ip netip.Addr
	var err error
	if v.string() {
		ip, err = netip.ParseAddr(v.text())
	}
	if !v.string() || err != nil {
		f.omit(f.pointer("ip_addresses")+"/"+strconv.Itoa(i), noAddress, v)
		return ip, false
	}
	return ip, ip.Is4() && ip != netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// prefix is the prefix length of an address; nil where it is not told.
func (f *fields) prefix(i int, v value) *int {
	if v.null() || v.blank() {
		return nil
	}
	n, ok := integer(v)
	if !ok || n < 0 || n > 32 {
		f.omit(f.pointer("netmasks")+"/"+strconv.Itoa(i), noPrefix, v)
		return nil
	}
	return &n
}

// places are the elements of an array, each at its place; nil where there is
// none.
func (f *fields) places(name string) []value {
	v := f.array(name)
	if v.absent() {
		return nil
	}
	list := []value{}
	for _, element := range v.elements() {
		list = append(list, element)
	}
	return list
}

// prometheusTargets is nil where the agent is too old to name its exporters;
// that differs from naming none.
func (f *fields) prometheusTargets() map[string]string {
	inner := f.into("prometheus_targets")
	if !inner.present() {
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

// prometheusMode is how the metrics of the host are collected.
func (f *fields) prometheusMode() string {
	mode := strings.ToLower(f.text("prometheus_mode"))
	switch mode {
	case "":
		return prometheusPull
	case prometheusPull, prometheusPush:
		return mode
	}
	f.leaveOut("prometheus_mode", notKnown)
	return unknown
}

func (f *fields) systemdUnits() []landscape.SystemdUnit {
	units := []landscape.SystemdUnit{}
	for unit := range f.each("systemd_units") {
		if name := unit.expected("name"); name != "" {
			state := cmp.Or(unit.expected("unit_file_state"), unknown)
			units = append(units, landscape.SystemdUnit{Name: name, UnitFileState: state})
		}
	}
	return units
}

// moment is a time in whole seconds and UTC; nil where there is none. Without
// an offset it is UTC.
func (f *fields) moment(name string) *time.Time {
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
		if t.Year() < 0 || t.Year() > 9999 { // an offset has moved it to where no text form exists
			break
		}
		return &t
	}
	f.leaveOut(name, noTime)
	return nil
}
