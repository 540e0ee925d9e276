package servertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Client sends requests to the program's API.
type Client struct {
	t      *testing.T
	base   string
	header http.Header
	http   *http.Client
}

// Client returns a client that sends headers, given as names and values.
func (p *Program) Client(header ...string) *Client {
	h := make(http.Header)
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &Client{p.t, p.URL, h, p.HTTP}
}

// Header returns a header that the client sends.
func (c *Client) Header(name string) string { return c.header.Get(name) }

// User returns a client that has signed in to the API as the default admin.
func (p *Program) User() *Client {
	p.t.Helper()
	var tokens struct {
		AccessToken string `json:"access_token"`
	}
	p.Client().Must(200, "POST", "/api/session", map[string]any{"username": "admin", "password": AdminPassword}, &tokens)
	return p.Client("Authorization", "Bearer "+tokens.AccessToken)
}

// Browser returns a client that has signed in to the console as the default
// admin.
func (p *Program) Browser() *Client {
	p.t.Helper()
	form := url.Values{"username": {"admin"}, "password": {AdminPassword}}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.URL+"/session", strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := *p.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	response.Body.Close()
	for _, c := range response.Cookies() {
		if strings.HasSuffix(c.Name, "trento-session") {
			return p.Client("Cookie", c.Name+"="+c.Value)
		}
	}
	p.t.Fatalf("status %d, no session", response.StatusCode)
	return nil
}

// Agent returns a client with the API key of the agents.
func (p *Program) Agent() *Client {
	p.t.Helper()
	var key struct {
		Text string `json:"generated_api_key"`
	}
	p.User().Must(200, "GET", "/api/v1/settings/api_key", nil, &key)
	return p.Client("X-Trento-Apikey", key.Text)
}

// Open sends a request. A body that is not []byte is sent as JSON. Open fails
// only if no answer comes. The caller must close the body of the answer.
func (c *Client) Open(method, path string, body any) (*http.Response, error) {
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case []byte:
		reader = bytes.NewReader(body)
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, reader)
	if err != nil {
		return nil, err
	}
	r.Header = c.header.Clone()
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return c.http.Do(r)
}

// Do sends a request like Open and reads the answer.
func (c *Client) Do(method, path string, body any) (status int, answer []byte, err error) {
	response, err := c.Open(method, path, body)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// Must sends a request and decodes the answer into into. It fails the test if
// the answer has another status.
func (c *Client) Must(status int, method, path string, body, into any) {
	c.t.Helper()
	got, answer, err := c.Do(method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	if got != status {
		c.t.Fatalf("%s %s: status %d, want %d: %s", method, path, got, status, answer)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			c.t.Fatalf("%s %s: %v: %s", method, path, err, answer)
		}
	}
}

// Host is a host in the answers of the API.
type Host struct {
	ID, Hostname string
}

// Hosts returns all hosts.
func (c *Client) Hosts() (hosts []Host) {
	c.t.Helper()
	c.Must(200, "GET", "/api/v1/hosts", nil, &hosts)
	return hosts
}

// Entry is an entry of the activity log in the answers of the API.
type Entry struct {
	ID       string
	Type     string
	Metadata map[string]any
}

// Search returns the newest entries that a metadata search finds.
func (c *Client) Search(text string) []Entry {
	c.t.Helper()
	var page struct{ Data []Entry }
	c.Must(200, "GET", "/api/v1/activity_log?first=100&search="+url.QueryEscape(text), nil, &page)
	return page.Data
}

// HostReport returns a report of an agent that registers a host.
func HostReport(id, hostname string) map[string]any {
	return map[string]any{"agent_id": id, "discovery_type": "host_discovery", "payload": map[string]any{
		"hostname": hostname, "ip_addresses": []string{"10.9.8.7"}, "netmasks": []int{24}, "agent_version": "3.1.2",
		"cpu_count": 4, "total_memory_mb": 8192, "socket_count": 1, "os_version": "15-SP6",
	}}
}

// AgentID returns the id of the nth agent of a test.
func AgentID(n int) string { return fmt.Sprintf("%08d-0000-5000-8000-000000000000", n) }
