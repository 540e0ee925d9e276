package discovery

import (
	"net/netip"
	"strings"
	"time"

	"trento/store/landscape"
)

const (
	unknown        = "unknown" // an architecture, source or provider we have no name for
	prometheusPull = "pull"
	prometheusPush = "push"
)

// decodeHost reads a host_discovery.
func decodeHost(payload value) (*landscape.HostFacts, error) {
	if !payload.object() {
		return nil, unable()
	}
	var wrong problems
	f := read(payload, nil, "", &wrong)
	host := &landscape.HostFacts{
		Hostname:           f.required("hostname"),
		FQDN:               f.optional("fully_qualified_domain_name"),
		Addresses:          f.addresses(),
		AgentVersion:       f.required("agent_version"),
		Arch:               f.oneOf("arch", "x86_64", "ppc64le", "s390x"),
		CPUCount:           f.integer("cpu_count"),
		SocketCount:        f.integer("socket_count"),
		MemoryMB:           f.integer("total_memory_mb"),
		OSVersion:          f.required("os_version"),
		InstallationSource: f.oneOf("installation_source", "community", "suse"),
		PrometheusTargets:  f.prometheusTargets(),
		PrometheusMode:     f.prometheusMode(),
		SystemdUnits:       f.systemdUnits(),
		LastBoot:           f.moment("last_boot_timestamp"),
	}
	if err := wrong.err(StagePayload); err != nil {
		return nil, err
	}
	return host, nil
}

// oneOf is a text out of a list, in lower case. A text that is not in it is
// unknown rather than wrong: a machine of a new kind, or an agent somebody
// built on a desk, belongs into the landscape too.
func (f *fields) oneOf(name string, known ...string) string {
	text := strings.ToLower(f.optional(name))
	for _, k := range known {
		if text == k {
			return k
		}
	}
	return unknown
}

// addresses pairs addresses with prefix lengths by their place and then
// drops what is no IPv4 address, and the loopback one.
func (f *fields) addresses() []landscape.Address {
	if v, ok := f.get("ip_addresses"); !ok || blank(v) {
		f.add("ip_addresses", detailBlank)
		return nil
	}
	texts := f.places("ip_addresses")
	masks := f.places("netmasks")
	if masks != nil {
		texts = texts[:min(len(texts), len(masks))]
	}
	list := []landscape.Address{}
	for i, text := range texts {
		if text.null() {
			continue
		}
		if !text.string() {
			f.add("ip_addresses", detailInvalid)
			return nil
		}
		ip, err := netip.ParseAddr(text.text())
		if err != nil || !ip.Is4() || ip == netip.AddrFrom4([4]byte{127, 0, 0, 1}) {
			continue
		}
		address := landscape.Address{IP: ip}
		if masks != nil && !masks[i].null() && !blank(masks[i]) {
			prefix, _ := integer(masks[i]) // judged below, with those of dropped addresses
			address.Prefix = &prefix
		}
		list = append(list, address)
	}
	for _, mask := range masks {
		if _, ok := integer(mask); !ok && !mask.null() && !blank(mask) {
			f.add("netmasks", detailInvalid)
			return nil
		}
	}
	return list
}

// places are the elements of an array, each at its place; nil where the array
// is absent or null.
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
	v := f.object("prometheus_targets")
	if v.absent() {
		return nil
	}
	targets := make(map[string]string)
	for exporter, target := range v.members() {
		if target.string() && !blank(target) {
			targets[exporter] = target.text()
		}
	}
	return targets
}

func (f *fields) prometheusMode() string {
	switch mode := f.optional("prometheus_mode"); mode {
	case "":
		return prometheusPull
	case prometheusPull, prometheusPush:
		return mode
	default:
		f.add("prometheus_mode", detailInvalid)
		return ""
	}
}

func (f *fields) systemdUnits() []landscape.SystemdUnit {
	units := []landscape.SystemdUnit{}
	v := f.array("systemd_units")
	if v.absent() {
		return units
	}
	for i, element := range v.elements() {
		if !element.object() {
			f.add("systemd_units", detailInvalid)
			return nil
		}
		unit := read(element, nil, indexed(f.pointer+"/systemd_units", i), f.wrong)
		units = append(units, landscape.SystemdUnit{
			Name:          unit.required("name"),
			UnitFileState: unit.required("unit_file_state"),
		})
	}
	return units
}

// moment is a time in whole seconds and UTC; nil where there is none. Without
// an offset it is UTC.
func (f *fields) moment(name string) *time.Time {
	text := f.optional(name)
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
	f.add(name, detailInvalid)
	return nil
}
