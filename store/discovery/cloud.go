package discovery

import (
	"strings"

	"trento/store/landscape"
)

// normalizeCloudName returns the common form of a name. Agents and clouds spell
// names differently: osProfile, OSProfile and os_profile are the same.
func normalizeCloudName(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, "_", ""))
}

// decodeCloud reads a cloud_discovery. Only Azure, AWS and Google Cloud
// describe their machines in metadata.
func decodeCloud(payload value, r *findings) (*landscape.Cloud, error) {
	if !payload.isObject() {
		return nil, errUnknownForm()
	}
	f := readPayload(payload, normalizeCloudName, r)
	cloud := &landscape.Cloud{Provider: f.provider("Provider")}
	metadata := f.nested("Metadata")
	if !metadata.isPresent() {
		return cloud, nil
	}
	switch cloud.Provider {
	case "azure":
		cloud.Azure = metadata.azure()
	case "aws":
		cloud.AWS = metadata.aws()
	case "gcp":
		cloud.GCP = metadata.gcp()
	}
	return cloud, nil
}

// provider reads the provider of a machine. Agents send "" if they recognise no
// provider. A provider that is not in our list becomes "unknown".
func (f *fields) provider(name string) string {
	return f.listedText(name, "azure", "aws", "gcp", "kvm", "nutanix", "vmware")
}

// azure reads the metadata of Azure. A missing member is no omission: which
// members exist depends on the image and on the version of the metadata
// service.
func (f *fields) azure() *landscape.AzureVM {
	compute := f.nested("compute")
	return &landscape.AzureVM{
		VMName:         compute.textOrNil("name"),
		ResourceGroup:  compute.textOrNil("resourceGroupName"),
		Location:       compute.textOrNil("location"),
		VMSize:         compute.textOrNil("vmSize"),
		DataDiskNumber: compute.nested("storageProfile").lengthOf("dataDisks"),
		Offer:          compute.textOrNil("offer"),
		SKU:            compute.textOrNil("sku"),
		AdminUsername:  compute.nested("osProfile").textOrNil("adminUsername"),
	}
}

func (f *fields) aws() *landscape.AWSVM {
	return &landscape.AWSVM{
		AccountID:        nilIfEmpty(f.expectedText("account_id")),
		AMIID:            nilIfEmpty(f.expectedText("ami_id")),
		AvailabilityZone: nilIfEmpty(f.expectedText("availability_zone")),
		DataDiskNumber:   f.expectedInteger("data_disk_number"),
		InstanceID:       nilIfEmpty(f.expectedText("instance_id")),
		InstanceType:     nilIfEmpty(f.expectedText("instance_type")),
		Region:           nilIfEmpty(f.expectedText("region")),
		VPCID:            nilIfEmpty(f.expectedText("vpc_id")),
	}
}

func (f *fields) gcp() *landscape.GCPVM {
	return &landscape.GCPVM{
		DiskNumber:   f.expectedInteger("disk_number"),
		Image:        f.textOrNil("image"),
		InstanceName: nilIfEmpty(f.expectedText("instance_name")),
		MachineType:  nilIfEmpty(f.expectedText("machine_type")),
		Network:      nilIfEmpty(f.expectedText("network")),
		ProjectID:    nilIfEmpty(f.expectedText("project_id")),
		Zone:         nilIfEmpty(f.expectedText("zone")),
	}
}

// lengthOf returns the number of elements of an array; 0 without an array.
func (f *fields) lengthOf(name string) int { return len(f.elements(name)) }
