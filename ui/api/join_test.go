package api

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestJoinOpenAPI checks that the parts of the description cannot contradict
// each other.
func TestJoinOpenAPI(t *testing.T) {
	t.Parallel()
	const shared = "openapi: 3.0.3\ncomponents: { schemas: { Errors: { type: object } }, parameters: {} }\n"
	for name, test := range map[string]struct{ host, cluster, fault string }{
		"parts":                   {"paths: { /hosts: {} }", "paths: { /clusters: {} }\ncomponents: { schemas: { Cluster: {} } }", ""},
		"a path twice":            {"paths: { /hosts: {} }", "paths: { /hosts: {} }", "openapi/host.yaml: /hosts is described twice"},
		"a schema twice":          {"paths: {}", "components: { schemas: { Errors: {} } }", "openapi/cluster.yaml: schemas: Errors is described twice"},
		"what belongs to all":     {"info: {}", "paths: {}", "field info not found"},
		"components nobody knows": {"components: { odds: { End: {} } }", "paths: {}", "openapi/host.yaml: openapi.yaml has no components called odds"},
		"no YAML":                 {"paths: {", "paths: {}", "openapi/host.yaml: yaml"},
	} {
		files := fstest.MapFS{
			"openapi.yaml":         {Data: []byte(shared)},
			"openapi/host.yaml":    {Data: []byte(test.host)},
			"openapi/cluster.yaml": {Data: []byte(test.cluster)},
		}
		whole, err := joinOpenAPI(files)
		switch {
		case test.fault != "":
			if err == nil || !strings.Contains(err.Error(), test.fault) {
				t.Errorf("%s: %v, want %s", name, err, test.fault)
			}
		case err != nil || len(whole.Paths) != 2 || len(whole.Components["schemas"]) != 2:
			t.Errorf("%s: %v, %v", name, err, whole)
		}
	}
}
