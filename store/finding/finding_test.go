package finding_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/finding"
)

// TestAdd joins what the server and a command have found.
func TestAdd(t *testing.T) {
	late := finding.Finding{Urgency: finding.Warning, Area: "Clock", What: "late"}
	full := finding.Finding{Urgency: finding.Urgent, Area: "Disk", What: "full"}
	r := finding.Report{
		Findings: []finding.Finding{late}, Examined: []string{"Clock", "Backups"}, Skipped: []finding.Skipped{{Area: "Disk", Why: "x"}, {Area: "Firewall", Why: "y"}},
	}
	r.Add(&finding.Report{Findings: []finding.Finding{full, late}, Examined: []string{"Clock", "Disk"}, Skipped: []finding.Skipped{{Area: "Backups", Why: "z"}, {Area: "Firewall", Why: "y"}}})
	want := finding.Report{
		Findings: []finding.Finding{full, late}, Examined: []string{"Clock", "Backups", "Disk"}, Skipped: []finding.Skipped{{Area: "Firewall", Why: "y"}},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r.Worst() != finding.Urgent || r.Count(finding.Warning) != 1 {
		t.Errorf("worst %v, %d warnings", r.Worst(), r.Count(finding.Warning))
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again finding.Report
	if err := json.Unmarshal(text, &again); err != nil || !cmp.Equal(r, again) {
		t.Errorf("%v: %s", err, text)
	}
	if err := json.Unmarshal([]byte(`{"urgency":"soon"}`), new(finding.Finding)); err == nil {
		t.Error("an unknown urgency was read")
	}
}
