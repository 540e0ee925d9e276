package server_test

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"trento/packaging/servertest"
)

// TestSocketServesOnlyTheAPI checks that commands get answers of the API and no
// pages.
func TestSocketServesOnlyTheAPI(t *testing.T) {
	dir := t.TempDir()
	servertest.Start(t, dir, nil)
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", filepath.Join(dir, "commands.sock"))
	}}}
	t.Cleanup(client.CloseIdleConnections)
	for path, want := range map[string]int{"/api/v1/agents": 200, "/api/v1/users": 200, "/agents": 404, "/": 404, "//api/v1/agents": 404, "/api/../agents": 404} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, answer.StatusCode, want)
		}
	}
}
