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
func decodeCloud(payload value) (*landscape.Cloud, error) {
	if !payload.object() {
		return nil, unable()
	}
	var wrong problems
	f := read(payload, snakeless, "", &wrong)
	cloud := &landscape.Cloud{Provider: f.provider()}
	metadata := f.into("metadata")
	switch cloud.Provider {
	case "azure":
		if metadata.present() {
			cloud.Azure = metadata.azure()
		}
	case "aws":
		if metadata.present() {
			cloud.AWS = metadata.aws()
		}
	case "gcp":
		if metadata.present() {
			cloud.GCP = metadata.gcp()
		}
	}
	if err := wrong.err(StagePayload); err != nil {
		return nil, err
	}
	return cloud, nil
}

// azure demands nothing: which parts there are depends on the image and on
// the age of the metadata service.
func (f *fields) azure() *landscape.AzureVM {
	compute := f.into("compute")
	return &landscape.AzureVM{
		VMName:         compute.pointerTo("name"),
		ResourceGroup:  compute.pointerTo("resource_group_name"),
		Location:       compute.pointerTo("location"),
		VMSize:         compute.pointerTo("vm_size"),
		DataDiskNumber: compute.into("storage_profile").count("data_disks"),
		Offer:          compute.pointerTo("offer"),
		SKU:            compute.pointerTo("sku"),
		AdminUsername:  compute.into("os_profile").pointerTo("admin_username"),
	}
}

func (f *fields) aws() *landscape.AWSVM {
	return &landscape.AWSVM{
		AccountID:        f.required("account_id"),
		AMIID:            f.required("ami_id"),
		AvailabilityZone: f.required("availability_zone"),
		DataDiskNumber:   f.integer("data_disk_number"),
		InstanceID:       f.required("instance_id"),
		InstanceType:     f.required("instance_type"),
		Region:           f.required("region"),
		VPCID:            f.required("vpc_id"),
	}
}

func (f *fields) gcp() *landscape.GCPVM {
	return &landscape.GCPVM{
		DiskNumber:   f.integer("disk_number"),
		Image:        f.pointerTo("image"),
		InstanceName: f.required("instance_name"),
		MachineType:  f.required("machine_type"),
		Network:      f.required("network"),
		ProjectID:    f.required("project_id"),
		Zone:         f.required("zone"),
	}
}

// count is the number of elements of an array; 0 where there is none.
func (f *fields) count(name string) int {
	n := 0
	if v := f.array(name); v != nil {
		for range v.elements() {
			n++
		}
	}
	return n
}
