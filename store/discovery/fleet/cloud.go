package fleet

import (
	"fmt"
	"hash/fnv"
	"strconv"
)

type cloudPayload struct {
	Provider string `json:"Provider"`
	Metadata any    `json:"Metadata"`
}

// cloudPayload returns the data of the provider's metadata service as agents
// send it: all data of Azure, and selected values of the others.
func (h *Host) cloudPayload() cloudPayload {
	p := cloudPayload{Provider: h.location.provider}
	switch h.location.provider {
	case azure:
		p.Metadata = h.azureMetadata()
	case aws:
		p.Metadata = awsMetadata{
			AccountID:        h.location.tenant,
			AMIID:            "ami-" + cloudID(h.location.region, "image", h.os),
			AvailabilityZone: h.location.region + h.zoneLetter(),
			DataDiskNumber:   h.disks,
			InstanceID:       "i-" + cloudID(string(h.ID), "instance"),
			InstanceType:     machines[h.size].types[aws],
			Region:           h.location.region,
			VPCID:            "vpc-" + cloudID(h.location.tenant, h.location.region),
		}
	case gcp:
		p.Metadata = gcpMetadata{
			DiskNumber:   1 + h.disks, // with the disk of the operating system
			Image:        "sles-" + h.image() + "-sap-byos",
			InstanceName: h.Name,
			MachineType:  machines[h.size].types[gcp],
			Network:      "sap-vpc",
			ProjectID:    h.location.tenant,
			Zone:         h.location.region + "-" + h.zoneLetter(),
		}
	}
	return p
}

// cloudID returns an id in the form that AWS uses. The id of the same thing is
// always the same.
func cloudID(thing ...string) string {
	sum := fnv.New64a()
	fmt.Fprint(sum, thing)
	return fmt.Sprintf("0%016x", sum.Sum64())
}

// zoneLetter returns the zone of the host as AWS and GCP call it. They have no
// hosts without a zone.
func (h *Host) zoneLetter() string { return string("abc"[max(h.zone, 1)-1]) }

// image returns the version of the operating system as the names of images
// contain it.
func (h *Host) image() string { return h.os[:3] + "sp" + h.os[len(h.os)-1:] }

type awsMetadata struct {
	AccountID        string `json:"account_id"`
	AMIID            string `json:"ami_id"`
	AvailabilityZone string `json:"availability_zone"`
	DataDiskNumber   int    `json:"data_disk_number"`
	InstanceID       string `json:"instance_id"`
	InstanceType     string `json:"instance_type"`
	Region           string `json:"region"`
	VPCID            string `json:"vpc_id"`
}

type gcpMetadata struct {
	DiskNumber   int    `json:"disk_number"`
	Image        string `json:"image"`
	InstanceName string `json:"instance_name"`
	MachineType  string `json:"machine_type"`
	Network      string `json:"network"`
	ProjectID    string `json:"project_id"`
	Zone         string `json:"zone"`
}

type azureMetadata struct {
	Compute azureCompute `json:"compute"`
	Network azureNetwork `json:"network"`
}

type azureCompute struct {
	Environment       string           `json:"azEnvironment"`
	CompatibilityVM   string           `json:"isHostCompatibilityLayerVm"`
	LicenseType       string           `json:"licenseType,omitempty"`
	Location          string           `json:"location"`
	Name              string           `json:"name"`
	Offer             string           `json:"offer"`
	OSProfile         azureOSProfile   `json:"osProfile"`
	OSType            string           `json:"osType"`
	Plan              struct{}         `json:"plan"`
	FaultDomain       string           `json:"platformFaultDomain"`
	UpdateDomain      string           `json:"platformUpdateDomain"`
	Provider          string           `json:"provider"`
	PublicKeys        []azurePublicKey `json:"publicKeys,omitempty"`
	Publisher         string           `json:"publisher"`
	ResourceGroupName string           `json:"resourceGroupName"`
	ResourceID        string           `json:"resourceId"`
	SecurityProfile   azureSecurity    `json:"securityProfile"`
	SKU               string           `json:"sku"`
	StorageProfile    azureStorage     `json:"storageProfile"`
	SubscriptionID    string           `json:"subscriptionId"`
	Tags              string           `json:"tags"`
	TagsList          []azureTag       `json:"tagsList,omitempty"`
	Version           string           `json:"version"`
	VMID              string           `json:"vmId"`
	VMSize            string           `json:"vmSize"`
	Zone              string           `json:"zone,omitempty"`
}

type azureOSProfile struct {
	AdminUsername   string `json:"adminUsername"`
	ComputerName    string `json:"computerName"`
	PasswordRefused string `json:"disablePasswordAuthentication"`
}

type azurePublicKey struct {
	Data string `json:"keyData"`
	Path string `json:"path"`
}

type azureSecurity struct {
	SecureBoot string `json:"secureBootEnabled"`
	VirtualTPM string `json:"virtualTpmEnabled"`
}

type azureStorage struct {
	DataDisks []azureDisk `json:"dataDisks,omitempty"`
	Image     azureImage  `json:"imageReference"`
	OSDisk    azureDisk   `json:"osDisk"`
}

type azureImage struct {
	Offer     string `json:"offer"`
	Publisher string `json:"publisher"`
	SKU       string `json:"sku"`
	Version   string `json:"version"`
}

type azureDisk struct {
	Caching          string           `json:"caching"`
	CreateOption     string           `json:"createOption"`
	DiffDisk         *azureDiffDisk   `json:"diffDiskSettings,omitempty"`
	SizeGB           string           `json:"diskSizeGB"`
	Encryption       *azureEncryption `json:"encryptionSettings,omitempty"`
	Image            azureLink        `json:"image"`
	LUN              string           `json:"lun,omitempty"`
	ManagedDisk      azureManaged     `json:"managedDisk"`
	Name             string           `json:"name"`
	OSType           string           `json:"osType,omitempty"`
	VHD              azureLink        `json:"vhd"`
	WriteAccelerator string           `json:"writeAcceleratorEnabled"`
}

type azureDiffDisk struct {
	Option string `json:"option"`
}

type azureEncryption struct {
	Enabled string `json:"enabled"`
}

type azureLink struct {
	URI string `json:"uri"`
}

type azureManaged struct {
	ID          string `json:"id"`
	StorageType string `json:"storageAccountType"`
}

type azureTag struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type azureNetwork struct {
	Interfaces []azureInterface `json:"interface"`
}

type azureInterface struct {
	IPv4 azureIPv4 `json:"ipv4"`
	IPv6 struct{}  `json:"ipv6"`
	MAC  string    `json:"macAddress"`
}

type azureIPv4 struct {
	Addresses []azureAddress `json:"ipAddress"`
	Subnets   []azureSubnet  `json:"subnet"`
}

type azureAddress struct {
	Private string `json:"privateIpAddress"`
	Public  string `json:"publicIpAddress,omitempty"`
}

type azureSubnet struct {
	Address string `json:"address"`
	Prefix  string `json:"prefix"`
}

func (h *Host) azureMetadata() azureMetadata {
	m := azureMetadata{Compute: h.azureCompute()}
	net := h.location.network
	address := azureAddress{Private: h.addresses[0].String()}
	if h.Role == Utility { // an address reserved for documentation, not one on the internet
		address.Public = fmt.Sprintf("203.0.113.%d", h.number%256)
	}
	m.Network.Interfaces = []azureInterface{{
		IPv4: azureIPv4{
			Addresses: []azureAddress{address},
			Subnets:   []azureSubnet{{fmt.Sprintf("%d.%d.%d.0", net[0], net[1], net[2]), "24"}},
		},
		MAC: fmt.Sprintf("000D3A%06X", h.number),
	}}
	return m
}

// azureCompute returns the description of a machine. It leaves out optional
// properties that the machine does not have: a zone, a license, keys, tags,
// disks.
func (h *Host) azureCompute() azureCompute {
	c := azureCompute{
		Environment:       "AzurePublicCloud",
		CompatibilityVM:   "false",
		Location:          h.location.region,
		Name:              h.Name,
		Offer:             "sles-sap-" + h.image() + "-byos",
		OSProfile:         azureOSProfile{"azureuser", h.Name, "true"},
		OSType:            "Linux",
		FaultDomain:       strconv.Itoa(h.number % 2),
		UpdateDomain:      strconv.Itoa(h.number % 5),
		Provider:          "Microsoft.Compute",
		Publisher:         "suse",
		ResourceGroupName: h.azureGroup(),
		ResourceID:        h.azureID("virtualMachines", h.Name),
		SecurityProfile:   azureSecurity{strconv.FormatBool(h.number%4 < 2), strconv.FormatBool(h.number%4 < 3)},
		SKU:               "gen2",
		StorageProfile:    h.azureStorage(),
		SubscriptionID:    h.location.tenant,
		Version:           "2026.06.11",
		VMID:              derivedID(agentNamespace, "machine "+string(h.ID)).String(),
		VMSize:            machines[h.size].types[azure],
	}
	if h.zone > 0 {
		c.Zone = strconv.Itoa(h.zone)
		c.LicenseType = "SLES_BYOS"
	}
	if h.number%4 > 0 {
		c.PublicKeys = []azurePublicKey{{"ssh-ed25519 invented", "/home/azureuser/.ssh/authorized_keys"}}
		c.Tags = "stage:" + h.stage() + ";role:" + string(h.Role)
		c.TagsList = []azureTag{{"stage", h.stage()}, {"role", string(h.Role)}}
	}
	return c
}

func (h *Host) azureStorage() azureStorage {
	disk := func(name, lun, sizeGB string) azureDisk {
		return azureDisk{
			Caching: "ReadWrite", CreateOption: "Attach", SizeGB: sizeGB, LUN: lun, Name: name, WriteAccelerator: "false",
			ManagedDisk: azureManaged{ID: h.azureID("disks", name), StorageType: "Premium_LRS"},
		}
	}
	system := disk(h.Name+"-os", "", "64")
	system.CreateOption, system.OSType = "FromImage", "Linux"
	system.DiffDisk, system.Encryption = &azureDiffDisk{}, &azureEncryption{"false"}
	s := azureStorage{Image: azureImage{"sles-sap-" + h.image() + "-byos", "suse", "gen2", "latest"}, OSDisk: system}
	for i := range h.disks {
		s.DataDisks = append(s.DataDisks, disk(fmt.Sprintf("%s-data%d", h.Name, i), strconv.Itoa(i), "512"))
	}
	return s
}

// stageNames are the short names of stages that names of resource groups
// contain.
var stageNames = map[string]string{"production": "prd", "quality": "qas", "development": "dev", "sandbox": "sbx", "operations": "ops"}

func (h *Host) azureGroup() string {
	return "rg-sap-" + stageNames[h.stage()] + "-" + regionNames[h.location.region]
}

func (h *Host) azureID(kind, name string) string {
	return "/subscriptions/" + h.location.tenant + "/resourceGroups/" + h.azureGroup() + "/providers/Microsoft.Compute/" + kind + "/" + name
}

func (h *Host) stage() string {
	if h.System == nil {
		return "operations"
	}
	return h.System.Stage
}
