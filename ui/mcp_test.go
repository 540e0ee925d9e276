package ui

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"trento/auth"
	"trento/store"
	"trento/ui/page"
)

// assistant connects to the server as an assistant does, with a token.
func assistant(t *testing.T, url, token string) (*mcp.ClientSession, error) {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: url + "/mcp", HTTPClient: &http.Client{Transport: withBearer(token)}, DisableStandaloneSSE: true, MaxRetries: -1,
	}, nil)
	if err == nil {
		t.Cleanup(func() { session.Close() })
	}
	return session, err
}

type withBearer string

func (token withBearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(token))
	return http.DefaultTransport.RoundTrip(r)
}

func mustConnect(t *testing.T, url, token string) *mcp.ClientSession {
	t.Helper()
	session, err := assistant(t, url, token)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func toolNames(t *testing.T, session *mcp.ClientSession) (names []string) {
	t.Helper()
	for tool, err := range session.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, tool.Name)
	}
	return names
}

// callTool calls a tool and returns the texts of its answer.
func callTool(t *testing.T, session *mcp.ClientSession, name string, arguments any) (text string, failed bool) {
	t.Helper()
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var texts []string
	for _, content := range result.Content {
		texts = append(texts, content.(*mcp.TextContent).Text)
	}
	return strings.Join(texts, "\n"), result.IsError
}

// mcpFixture is a server for assistants, with hosts and a user who may do
// everything with tags.
func mcpFixture(t *testing.T, mode page.MCPMode) (*fixture, string) {
	t.Helper()
	f := newFixture(t)
	f.options.MCP = mode
	f.restart(f.options)
	f.confirmTokens(false)
	f.user("anna", 1)
	f.host(1, "hana01")
	f.host(2, "hana02")
	return f, f.serve().URL
}

// newToken makes a token of anna with scopes.
func (f *fixture) newToken(name string, scopes ...string) (text, id string) {
	f.t.Helper()
	u := f.userNow("anna")
	created, text, err := f.auth.CreateToken(context.Background(), &auth.Identity{User: u, Via: auth.ViaSession}, auth.NewToken{Name: name, Scopes: scopes})
	if err != nil {
		f.t.Fatal(err)
	}
	return text, created.ID
}

func TestAssistantReads(t *testing.T) {
	t.Parallel()
	f, url := mcpFixture(t, page.MCPRead)
	token, _ := f.newToken("assistant", "read_only")
	session := mustConnect(t, url, token)
	if told := session.InitializeResult(); told.ServerInfo.Name != "trento" || told.ServerInfo.Version != "1.2.3" || !strings.Contains(told.Instructions, "Nothing can be changed") {
		t.Errorf("it introduces itself with %+v", told)
	}
	names := toolNames(t, session)
	for _, want := range []string{"hosts_list", "activity_log_search", "health_summary"} {
		if !slices.Contains(names, want) {
			t.Errorf("the tools are %v, without %s", names, want)
		}
	}
	if slices.Contains(names, "host_tag_add") {
		t.Error("a tool that changes something is offered")
	}
	text, failed := callTool(t, session, "hosts_list", nil)
	var hosts []struct{ Hostname string }
	if err := json.Unmarshal([]byte(text), &hosts); failed || err != nil || len(hosts) != 2 || hosts[0].Hostname != "hana01" {
		t.Errorf("the hosts are %s (%v)", text, err)
	}
	if text, failed := callTool(t, session, "activity_log_search", map[string]any{"first": 1, "severity": []string{"info", "warning"}}); failed || !strings.Contains(text, `"data"`) {
		t.Errorf("the log is %s", text)
	}
	for _, wrong := range []struct {
		arguments map[string]any
		want      string
	}{
		{map[string]any{"first": "many"}, "first"},
		{map[string]any{"frist": 1}, "frist"},
		{map[string]any{"from_date": "yesterday"}, "from_date"},
	} {
		if text, failed := callTool(t, session, "activity_log_search", wrong.arguments); !failed || !strings.Contains(text, wrong.want) {
			t.Errorf("%v is answered with %s", wrong.arguments, text)
		}
	}
}

func TestAssistantWrites(t *testing.T) {
	t.Parallel()
	f, url := mcpFixture(t, page.MCPWrite)
	token, _ := f.newToken("tagger", "tags")
	session := mustConnect(t, url, token)
	names := toolNames(t, session)
	if !slices.Contains(names, "host_tag_add") || slices.Contains(names, "activity_log_search") {
		t.Errorf("a token for tags is offered %v", names)
	}
	arguments := map[string]any{"id": hostID(1), "body": map[string]any{"value": ".."}}
	if text, failed := callTool(t, session, "host_tag_add", arguments); failed || !strings.Contains(text, "..") {
		t.Errorf("the tag is answered with %s", text)
	}
	if text, failed := callTool(t, session, "host_tag_remove", map[string]any{"id": hostID(1), "value": ".."}); failed {
		t.Errorf("removing the tag is answered with %s", text)
	}
	if text, failed := callTool(t, session, "host_tag_add", map[string]any{"id": hostID(1)}); !failed || !strings.Contains(text, "body") {
		t.Errorf("a tag without a body is answered with %s", text)
	}
	reading, _ := f.newToken("reader", "read_only")
	if names := toolNames(t, mustConnect(t, url, reading)); slices.Contains(names, "host_tag_add") {
		t.Errorf("a token that reads only is offered %v", names)
	}
	if _, err := mustConnect(t, url, reading).CallTool(t.Context(), &mcp.CallToolParams{Name: "host_tag_add", Arguments: arguments}); err == nil {
		t.Error("a token that reads only can add a tag")
	}
}

// TestAssistantLosesAccess: what a token may do is asked again for each call.
func TestAssistantLosesAccess(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*fixture, string){
		"token deleted": func(f *fixture, id string) {
			if err := f.store.DeleteTokens(context.Background(), store.System(), f.userNow("anna").ID, []string{id}); err != nil {
				f.t.Fatal(err)
			}
		},
		"user disabled": func(f *fixture, _ string) { f.disable("anna") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, url := mcpFixture(t, page.MCPRead)
			token, id := f.newToken("assistant", "full")
			session := mustConnect(t, url, token)
			lose(f, id)
			if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "hosts_list"}); err == nil || !strings.Contains(err.Error(), "Unauthorized") {
				t.Errorf("the call is answered with %v", err)
			}
			if _, err := assistant(t, url, token); err == nil {
				t.Error("the assistant can connect again")
			}
		})
	}
}

func TestAssistantIsLogged(t *testing.T) {
	t.Parallel()
	f, url := mcpFixture(t, page.MCPRead)
	token, id := f.newToken("assistant", "full")
	callTool(t, mustConnect(t, url, token), "hosts_list", nil)
	if err := f.store.FlushTokenUses(context.Background()); err != nil {
		t.Fatal(err)
	}
	var uses []string
	if err := f.store.View(func(tx *store.Tx) error {
		found, _, err := tx.TokenUses(f.userNow("anna").ID, id, 0, 20)
		for _, use := range found {
			if use.Via == "bearer" && use.Address == "127.0.0.1" && use.Status < 300 {
				uses = append(uses, use.Method+" "+use.Path)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"POST /mcp", "GET /api/v1/hosts"} {
		if !slices.Contains(uses, want) {
			t.Errorf("the authentication log has %v, without %s", uses, want)
		}
	}
}

func TestAssistantDoor(t *testing.T) {
	t.Parallel()
	f, _ := mcpFixture(t, page.MCPRead)
	token, _ := f.newToken("assistant", "full")
	bearer := http.Header{"Authorization": {"Bearer " + token}}
	with := func(name, value string) http.Header {
		h := bearer.Clone()
		h.Set("Content-Type", "application/json")
		h.Set("Accept", "application/json, text/event-stream")
		h.Set(name, value)
		return h
	}
	const signedOut = http.StatusUnauthorized
	for _, tt := range []struct {
		name string
		call call
		want int
	}{
		{"nobody", call{method: "POST", target: "/mcp"}, signedOut},
		{"nobody looks", call{target: "/mcp"}, signedOut},
		{"a cookie", call{method: "POST", target: "/mcp", as: "anna"}, signedOut},
		{"a wrong token", call{method: "POST", target: "/mcp", header: http.Header{"Authorization": {"Bearer trento_pat_wrong"}}}, signedOut},
		{"a token in the address", call{method: "POST", target: "/mcp?session=" + token}, signedOut},
		{"a token as a password", call{method: "POST", target: "/mcp", header: http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("anna:"+token))}}}, signedOut},
		{"another site", call{method: "POST", target: "/mcp", header: with("Sec-Fetch-Site", "cross-site")}, http.StatusForbidden},
		{"another origin", call{method: "POST", target: "/mcp", header: func() http.Header {
			h := with("Origin", "https://evil.example")
			h["Sec-Fetch-Site"] = nil
			return h
		}()}, http.StatusForbidden},
		{"a stream", call{target: "/mcp", header: with("Accept", "text/event-stream")}, http.StatusMethodNotAllowed},
		{"another type", call{method: "POST", target: "/mcp", header: with("Content-Type", "text/plain")}, http.StatusUnsupportedMediaType},
		{"no JSON", call{method: "POST", target: "/mcp", header: with("X-Nothing", "")}, http.StatusBadRequest},
		{"below", call{method: "POST", target: "/mcp/more", header: bearer}, http.StatusNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := f.do(tt.call)
			if w.Code != tt.want {
				t.Errorf("status %d, want %d: %s", w.Code, tt.want, w.Body)
			}
			if challenge := w.Header().Get("WWW-Authenticate"); (challenge != "") != (tt.want == signedOut) {
				t.Errorf("challenge %q", challenge)
			}
		})
	}
	f.options.MCP = page.MCPOff
	f.restart(f.options)
	if w := f.do(call{method: "POST", target: "/mcp", header: bearer}); w.Code != http.StatusNotFound {
		t.Errorf("switched off, it answers %d", w.Code)
	}
}

// BenchmarkAssistantCall is one call of a tool, with its way through the API.
func BenchmarkAssistantCall(b *testing.B) {
	f := newFixture(b)
	f.options.MCP = page.MCPWrite
	f.restart(f.options)
	f.confirmTokens(false)
	f.user("anna", 1)
	token, _ := f.newToken("assistant", "full")
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hosts_list","arguments":{}}}`))
		r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"[]"`) {
			b.Fatal(w.Code, w.Body.String())
		}
	}
}
