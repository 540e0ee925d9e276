package discovery

import (
	"strings"

	"trento/store/landscape"
)

// snakeless makes one name of the spellings agents and clouds have for it:
// osProfile, OSProfile and os_profile are the same.
func snakeless(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, "_", ""))
}

// decodeCloud reads a cloud_discovery. Metadata is kept for the providers
// that tell something about their machines.
func decodeCloud(payload value, r *reading) (*landscape.Cloud, error) {
	if !payload.object() {
		return nil, unable()
	}
	f := readPayload(payload, snakeless, r)
	cloud := &landscape.Cloud{Provider: f.provider("Provider")}
	metadata := f.into("Metadata")
	if !metadata.present() {
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

// provider is where a machine runs. Agents send "" where they recognise
// nothing, and newer ones may recognise what we do not know.
func (f *fields) provider(name string) string {
	return f.oneOf(name, "azure", "aws", "gcp", "kvm", "nutanix", "vmware")
}

// azure expects nothing: which parts there are depends on the image and on
// the age of the metadata service.
func (f *fields) azure() *landscape.AzureVM {
	compute := f.into("compute")
	return &landscape.AzureVM{
		VMName:         compute.textOrNil("name"),
		ResourceGroup:  compute.textOrNil("resourceGroupName"),
		Location:       compute.textOrNil("location"),
		VMSize:         compute.textOrNil("vmSize"),
		DataDiskNumber: compute.into("storageProfile").length("dataDisks"),
		Offer:          compute.textOrNil("offer"),
		SKU:            compute.textOrNil("sku"),
		AdminUsername:  compute.into("osProfile").textOrNil("adminUsername"),
	}
}

func (f *fields) aws() *landscape.AWSVM {
	return &landscape.AWSVM{
		AccountID:        orNil(f.expected("account_id")),
		AMIID:            orNil(f.expected("ami_id")),
		AvailabilityZone: orNil(f.expected("availability_zone")),
		DataDiskNumber:   f.expectedInteger("data_disk_number"),
		InstanceID:       orNil(f.expected("instance_id")),
		InstanceType:     orNil(f.expected("instance_type")),
		Region:           orNil(f.expected("region")),
		VPCID:            orNil(f.expected("vpc_id")),
	}
}

func (f *fields) gcp() *landscape.GCPVM {
	return &landscape.GCPVM{
		DiskNumber:   f.expectedInteger("disk_number"),
		Image:        f.textOrNil("image"),
		InstanceName: orNil(f.expected("instance_name")),
		MachineType:  orNil(f.expected("machine_type")),
		Network:      orNil(f.expected("network")),
		ProjectID:    orNil(f.expected("project_id")),
		Zone:         orNil(f.expected("zone")),
	}
}

// length is the number of elements of an array; 0 where there is none.
func (f *fields) length(name string) int { return len(f.places(name)) }
