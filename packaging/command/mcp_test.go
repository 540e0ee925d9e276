package command_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"trento/packaging/servertest"
)

// TestMCP lets an assistant start the command, which sends its calls to a server.
func TestMCP(t *testing.T) {
	p := servertest.Start(t, t.TempDir(), nil)
	user := p.User()
	newToken := func(name string, scopes ...string) (id, text string) {
		var created struct {
			ID   string
			Text string `json:"access_token"`
		}
		user.Must(201, "POST", "/api/v1/profile/tokens", map[string]any{"name": name, "scopes": scopes, "current_password": servertest.AdminPassword}, &created)
		return created.ID, created.Text
	}
	id, token := newToken("assistant", "full")
	connect := func(environ []string, args ...string) (*mcp.ClientSession, string) {
		cmd := servertest.Command(t, t.TempDir(), append([]string{"mcp"}, args...), environ...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
		session, err := client.Connect(t.Context(), &mcp.CommandTransport{Command: cmd}, nil)
		if err != nil {
			return nil, stderr.String()
		}
		t.Cleanup(func() { session.Close() })
		return session, ""
	}
	callTool := func(session *mcp.ClientSession, name string, arguments any) *mcp.CallToolResult {
		t.Helper()
		if session == nil {
			t.Fatal("the command has ended")
		}
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: arguments})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	text := func(result *mcp.CallToolResult) string { return result.Content[0].(*mcp.TextContent).Text }

	session, said := connect([]string{"TRENTO_TOKEN=" + token}, "--server", p.URL+"/")
	if session == nil {
		t.Fatal(said)
	}
	if result := callTool(session, "hosts_list", nil); result.IsError || text(result) != "[]" {
		t.Errorf("the hosts are %s", text(result))
	}
	var names []string
	for tool, err := range session.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, tool.Name)
	}
	if slices.Contains(names, "host_tag_add") {
		t.Error("a tool that changes something is offered")
	}
	user.Must(204, "DELETE", "/api/v1/profile/tokens/"+id, map[string]any{"current_password": servertest.AdminPassword}, nil)
	if result := callTool(session, "hosts_list", nil); !result.IsError || !strings.HasPrefix(text(result), "401 Unauthorized: the token is missing, expired or deleted.") {
		t.Errorf("with a deleted token the hosts are %s", text(result))
	}

	_, token = newToken("reader", "read_only")
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	session, said = connect([]string{"TRENTO_SERVER=" + p.URL}, "--token-file", file, "--allow-writes")
	if session == nil {
		t.Fatal(said)
	}
	arguments := map[string]any{"id": servertest.AgentID(1), "body": map[string]any{"value": "tag"}}
	if result := callTool(session, "host_tag_add", arguments); !result.IsError || !strings.HasPrefix(text(result), "403 Forbidden: the token has no scope for this") {
		t.Errorf("a tag with a token that reads only is answered with %s", text(result))
	}

	for _, tt := range []struct {
		environ []string
		args    []string
		want    string
	}{
		{nil, nil, "there is no token: set TRENTO_TOKEN"},
		{nil, []string{"--token-file", os.DevNull}, "has no token in its first line"},
		{[]string{"TRENTO_TOKEN=trento_pat_wrong"}, []string{"--server", p.URL}, "does not accept the token"},
		{[]string{"TRENTO_TOKEN=" + token}, []string{"--server", "trento.example.com"}, "is neither an address"},
		{[]string{"TRENTO_TOKEN=" + token}, []string{"--server", "http://admin:secret@127.0.0.1:1"}, "must not contain a user"},
		{[]string{"TRENTO_TOKEN=" + token}, []string{"--server", "http://127.0.0.1:1"}, "connection refused"},
		{[]string{"TRENTO_TOKEN=" + token}, []string{"--server", p.URL, "--ca", "/nowhere"}, "--ca:"},
	} {
		if session, said := connect(tt.environ, tt.args...); session != nil || !strings.Contains(said, tt.want) || strings.Contains(said, token) {
			t.Errorf("%v: it says %q, want %q", tt.args, said, tt.want)
		}
	}

	home := t.TempDir()
	a := &commandRunner{t: t, environ: []string{"HOME=" + home}}
	if status, _, errs := a.runWith(token+"\n", "login", "--token-stdin", "--server", p.URL); status != 0 {
		t.Fatal(errs)
	}
	session, said = connect([]string{"HOME=" + home})
	if session == nil {
		t.Fatal(said)
	}
	if result := callTool(session, "hosts_list", nil); result.IsError {
		t.Errorf("after a login the hosts are %s", text(result))
	}
}
