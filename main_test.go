package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport is the plan of the house: which packages of the project a package
// may import, and which libraries belong to one room.
var mayImport = map[string][]string{
	"trento/store/durable":          {},
	"trento/store/fault":            {},
	"trento/store/activity":         {"trento/store/fault"},
	"trento/store/finding":          {},
	"trento/store/landscape":        {"trento/store/activity", "trento/store/fault"},
	"trento/store/outbox":           {},
	"trento/store/alert":            {"trento/store/activity", "trento/store/outbox"},
	"trento/store/discovery":        {"trento/store/fault", "trento/store/landscape"},
	"trento/store/discovery/fleet":  {"trento/store/landscape", "trento/store/message", "trento/store/message/wire"},
	"trento/store/message/wire":     {},
	"trento/store/message":          {"trento/store/fault", "trento/store/message/wire"},
	"trento/store/message/generate": {},
	"trento/store/failure":          {},
	"trento/store/check/script":     {},
	"trento/store/check":            {"trento/store/check/script", "trento/store/landscape"},
	"trento/store/kv":               {"trento/store/failure", "trento/store/durable", "trento/store/fault"},
	"trento/store":                  {"trento/store/activity", "trento/store/alert", "trento/store/check", "trento/store/check/script", "trento/store/failure", "trento/store/fault", "trento/store/kv", "trento/store/landscape", "trento/store/outbox"},
	"trento/store/backup":           {"trento/store", "trento/store/durable", "trento/store/fault"},
	"trento/store/storetest":        {"trento/store"},
	"trento/auth/remote":            {},
	"trento/auth/sso":               {"trento/store/fault"},
	"trento/auth/sso/ssotest":       {"trento/auth/sso"},
	"trento/auth":                   {"trento/auth/remote", "trento/auth/sso", "trento/store", "trento/store/durable", "trento/store/activity", "trento/store/fault", "trento/store/landscape"},
	"trento/search":                 {"trento/store", "trento/store/failure", "trento/store/activity"},
	"trento/ui/mail":                {"trento/store/alert"},
	"trento/ui/webhook":             {},
	"trento/ui/eventing":            {"trento/auth", "trento/store", "trento/store/activity", "trento/store/fault", "trento/store/outbox", "trento/ui/stream", "trento/ui/webhook"},
	"trento/ui/stream":              {"trento/store/activity"},
	"trento/ui/forward":             {"trento/store/activity", "trento/ui/stream"},
	"trento/ui/alerting":            {"trento/auth", "trento/store/fault", "trento/ui/mail", "trento/ui/webhook", "trento/store", "trento/store/alert", "trento/store/outbox"},
	"trento/ui/amqp":                {"trento/auth/remote", "trento/store", "trento/store/fault", "trento/store/message"},
	"trento/ui/refresh":             {"trento/store", "trento/store/fault", "trento/store/landscape", "trento/store/message", "trento/store/message/wire"},
	"trento/ui/execution":           {"trento/store", "trento/store/check", "trento/store/check/script", "trento/store/fault", "trento/store/landscape", "trento/store/message", "trento/store/message/wire"},
	"trento/ui/api":                 {"trento/ui/execution", "trento/store/check", "trento/store/check/script", "trento/ui/metrics", "trento/auth", "trento/auth/sso", "trento/search", "trento/store", "trento/store/backup", "trento/store/activity", "trento/store/discovery", "trento/store/fault", "trento/store/landscape", "trento/ui/refresh", "trento/store/message", "trento/ui/amqp", "trento/store/finding", "trento/ui/alerting", "trento/ui/mail", "trento/store/alert", "trento/ui/stream", "trento/store/outbox", "trento/ui/forward", "trento/ui/eventing"},
	"trento/ui/api/documenttest":    {"trento/auth", "trento/ui/api", "trento/ui/stream"},
	"trento/ui/page":                {"trento/ui/execution", "trento/store/check", "trento/ui/metrics", "trento/auth", "trento/search", "trento/store", "trento/store/backup", "trento/store/activity", "trento/store/fault", "trento/store/landscape", "trento/store/message", "trento/ui/amqp", "trento/ui/api", "trento/ui/refresh", "trento/ui/alerting", "trento/ui/forward", "trento/ui/eventing"},
	"trento/ui/drawing":             {},
	"trento/ui/table":               {"trento/auth", "trento/store", "trento/store/fault", "trento/store/landscape", "trento/ui/api", "trento/ui/page"},
	"trento/ui/landscape":           {"trento/ui/execution", "trento/store/check", "trento/auth", "trento/search", "trento/store", "trento/store/activity", "trento/store/fault", "trento/store/landscape", "trento/store/message", "trento/ui/activity", "trento/ui/amqp", "trento/ui/api", "trento/ui/drawing", "trento/ui/page", "trento/ui/refresh", "trento/ui/table"},
	"trento/ui/activity":            {"trento/auth", "trento/search", "trento/store", "trento/store/activity", "trento/store/fault", "trento/store/landscape", "trento/ui/api", "trento/ui/page", "trento/ui/table", "trento/store/alert", "trento/ui/mail", "trento/store/outbox"},
	"trento/ui/account":             {"trento/auth", "trento/auth/sso", "trento/search", "trento/store", "trento/store/backup", "trento/store/activity", "trento/store/fault", "trento/store/landscape", "trento/ui/api", "trento/ui/page", "trento/ui/table", "trento/ui/alerting", "trento/ui/mail", "trento/ui/eventing", "trento/store/outbox"},
	"trento/ui/mcp":                 {},
	"trento/ui/metrics":             {"trento/search", "trento/store", "trento/store/activity", "trento/store/failure", "trento/store/landscape", "trento/ui/amqp"},
	"trento/ui":                     {"trento/ui/metrics", "trento/ui/mcp", "trento/auth", "trento/search", "trento/store", "trento/store/activity", "trento/store/fault", "trento/store/landscape", "trento/ui/account", "trento/ui/activity", "trento/ui/api", "trento/ui/landscape", "trento/ui/page", "trento/ui/table", "trento/store/finding", "trento/ui/stream"},
	"trento/packaging/certificate":  {"trento/store/durable"},
	"trento/packaging":              {},
	"trento/packaging/config":       {"trento/store/durable"},
	"trento/packaging/connection":   {"trento/auth/remote"},
	"trento/packaging/daemon":       {},
	"trento/packaging/doctor":       {"trento/auth/sso", "trento/packaging/config", "trento/store/finding"},
	"trento/packaging/demo":         {"trento/auth", "trento/packaging/config", "trento/store", "trento/store/check", "trento/store/discovery", "trento/store/discovery/fleet", "trento/store/landscape"},
	"trento/packaging/memory":       {},
	"trento/packaging/server":       {"trento/ui/execution", "trento/store/check", "trento/ui/metrics", "trento/auth", "trento/auth/sso", "trento/packaging/certificate", "trento/packaging/config", "trento/packaging/connection", "trento/packaging/daemon", "trento/packaging/memory", "trento/search", "trento/store", "trento/store/alert", "trento/store/backup", "trento/store/discovery/fleet", "trento/store/durable", "trento/store/failure", "trento/store/fault", "trento/store/message", "trento/ui", "trento/ui/amqp", "trento/ui/api", "trento/ui/mail", "trento/ui/page", "trento/ui/webhook", "trento/packaging/doctor", "trento/store/finding", "trento/store/activity", "trento/store/landscape", "trento/ui/alerting", "trento/store/outbox", "trento/ui/forward", "trento/ui/eventing"},
	"trento/packaging/apitest":      {},
	"trento/packaging/client":       {},
	"trento/packaging/servertest":   {},
	"trento/packaging/command":      {"trento/ui/mcp", "trento/auth", "trento/auth/sso", "trento/packaging/client", "trento/packaging/config", "trento/packaging/daemon", "trento/packaging/demo", "trento/packaging/doctor", "trento/packaging/server", "trento/store", "trento/store/backup", "trento/store/check", "trento/store/check/script", "trento/store/check", "trento/store/check/script", "trento/store/discovery/fleet", "trento/store/durable", "trento/store/finding"},
	"trento":                        {"trento/packaging/command"},
}

var roomOf = map[string][]string{
	"go.etcd.io/bbolt":                 {"trento/store/kv"},
	"github.com/blevesearch":           {"trento/search"},
	"github.com/RoaringBitmap":         {"trento/search"},
	"github.com/gorilla/sessions":      {"trento/auth"},
	"github.com/golang-jwt/jwt":        {"trento/auth"},
	"github.com/gorilla/mux":           {"trento/ui", "trento/ui/api", "trento/ui/page"},
	"github.com/rabbitmq":              {"trento/ui/amqp", "trento/store/discovery/fleet"},
	"github.com/prometheus":            {"trento/ui/metrics"},
	"github.com/modelcontextprotocol":  {"trento/ui/mcp"},
	"github.com/google/jsonschema-go":  {"trento/ui/mcp"},
	"golang.org/x/crypto/acme":         {"trento/packaging/certificate"},
	"github.com/spf13/cobra":           {"trento/packaging/command"},
	"go.yaml.in/yaml":                  {"trento/store/check", "trento/ui/api", "trento/packaging/command"},
	"github.com/oapi-codegen":          {"trento/packaging/client"},
	"google.golang.org/protobuf":       {"trento/store/message", "trento/store/message/wire", "trento/store/message/generate", "trento/ui/forward"},
	"github.com/bufbuild/protocompile": {"trento/store/message/generate"},
	"go.opentelemetry.io/proto":        {"trento/ui/forward"},
	"github.com/wneessen/go-mail":      {"trento/ui/mail"},
	"filippo.io/age":                   {"trento/store/backup"},
	"html/template":                    {"trento/ui/mail", "trento/ui/page"},
	"github.com/coreos/go-oidc":        {"trento/auth/sso"},
	"golang.org/x/oauth2":              {"trento/auth/sso"},
	"github.com/crewjam/saml":          {"trento/auth/sso"},
	"github.com/russellhaering":        {"trento/auth/sso"},
	"net/http":                         {"trento/packaging/client", "trento/auth/sso", "trento/auth/sso/ssotest", "trento/packaging/server", "trento/packaging/servertest", "trento/packaging/certificate", "trento/packaging/connection", "trento/auth", "trento/ui", "trento/ui/account", "trento/ui/activity", "trento/ui/api", "trento/ui/api/documenttest", "trento/ui/landscape", "trento/ui/mcp", "trento/ui/metrics", "trento/ui/page", "trento/ui/table", "trento/ui/webhook", "trento/ui/stream", "trento/store/discovery/fleet", "trento/ui/forward", "trento/ui/eventing"},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		allowed, planned := mayImport[p.ImportPath]
		if !planned {
			t.Errorf("%s is not in the plan of the house", p.ImportPath)
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "trento/") && !slices.Contains(allowed, i) {
				t.Errorf("%s may not import %s", p.ImportPath, i)
			}
			for library, rooms := range roomOf {
				if (i == library || strings.HasPrefix(i, library+"/")) && !slices.Contains(rooms, p.ImportPath) {
					t.Errorf("%s may not import %s: that belongs to %v", p.ImportPath, i, rooms)
				}
			}
		}
	}
}
