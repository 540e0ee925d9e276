package landscape

import (
	"net/netip"
	"testing"
)

func TestSite(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	at := func(ip string, prefix int) []Address {
		a := Address{IP: netip.MustParseAddr(ip)}
		if prefix > 0 {
			a.Prefix = &prefix
		}
		return []Address{a}
	}
	lo := at("127.0.0.1", 8)[0]
	for _, tt := range []struct {
		name  string
		cloud *Cloud
		addrs []Address
		want  string
	}{
		{"zone of AWS", &Cloud{Provider: "aws", AWS: &AWSVM{AvailabilityZone: text("eu-central-1a"), Region: text("eu-central-1")}}, at("10.0.0.7", 24), "eu-central-1a"},
		{"region of AWS", &Cloud{Provider: "aws", AWS: &AWSVM{Region: text("eu-central-1")}}, at("10.0.0.7", 24), "eu-central-1"},
		{"location of Azure", &Cloud{Provider: "azure", Azure: &AzureVM{Location: text("westeurope")}}, nil, "westeurope"},
		{"zone of Google", &Cloud{Provider: "gcp", GCP: &GCPVM{Zone: text("europe-west3-b")}}, nil, "europe-west3-b"},
		{"cloud that says nothing", &Cloud{Provider: "azure", Azure: &AzureVM{}}, at("10.0.0.7", 24), ""},
		{"cloud without description", &Cloud{Provider: "gcp"}, at("10.0.0.7", 24), ""},
		{"on premises", &Cloud{Provider: "kvm"}, at("10.1.2.7", 22), "10.1.0.0/22"},
		{"before the first report about the cloud", nil, at("10.1.2.7", 24), "10.1.2.0/24"},
		{"loopback first", nil, append([]Address{lo}, at("10.1.2.7", 24)...), "10.1.2.0/24"},
		{"network unknown", nil, at("10.1.2.7", 0), "10.1.2.0/24"},
		{"network of one address", nil, at("10.1.2.7", 32), "10.1.2.0/24"},
		{"no address", &Cloud{Provider: "vmware"}, nil, ""},
	} {
		h := Host{HostFacts: HostFacts{Addresses: tt.addrs}, Cloud: tt.cloud}
		if got := h.Site(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
