package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"trento/packaging/config"
)

// commandSocket is the Unix socket in the data directory at which the running
// server answers commands on this machine, such as trento-web get. Only the
// user of the server and root can open it: they are the ones who can read the
// data anyway. What they send counts as sent by the default admin.
const commandSocket = "commands.sock"

// CommandSocket returns the path of the socket at which the server with a
// configuration answers commands on this machine, if it runs.
func CommandSocket(c config.Config) string { return filepath.Join(c.DataDir, commandSocket) }

// maxSocketPath is the longest path that Linux takes for a Unix socket.
const maxSocketPath = 107

// listenForCommands makes the socket for commands on this machine. It is called
// when the store is open, so a socket that is already there was left by a
// server that was killed.
func (s *server) listenForCommands(handler http.Handler) (err error) {
	s.commands = s.newHTTPServer(onlyAPI(handler))
	socket := CommandSocket(s.config)
	if len(socket) > maxSocketPath {
		return fmt.Errorf("the path of the data directory %s is too long for the socket %s in it: choose a TRENTO_DATA_DIR of at most %d characters",
			s.config.DataDir, commandSocket, maxSocketPath-len(commandSocket)-1)
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if s.commandListener, err = net.Listen("unix", socket); err != nil {
		return fmt.Errorf("socket for commands: %w", err)
	}
	return os.Chmod(socket, 0o600)
}

// onlyAPI serves only the API. Browsers, for which pages are made, do not use
// the socket.
func onlyAPI(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			http.NotFound(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// ErrNotRunning means that no server runs with the data directory of a
// configuration.
var ErrNotRunning = errors.New("no server is running")

// maxAnswer is the number of bytes of an answer that Get reads.
const maxAnswer = 256 << 20

// Get asks the running server of this machine for an address of its API, such
// as "/api/v1/agents", and decodes the answer into into. It fails with
// ErrNotRunning if there is none.
func Get(ctx context.Context, c config.Config, address string, into any) error {
	answer, err := request(ctx, c, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	if err := json.NewDecoder(io.LimitReader(answer, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("answer of the server to %s: %w", address, err)
	}
	return nil
}

// request sends a request to the running server of this machine, with a body in
// JSON unless that is nil. It returns the body of the answer, which the caller
// must close. It fails with ErrNotRunning if there is no server.
func request(ctx context.Context, c config.Config, method, address string, body any) (io.ReadCloser, error) {
	socket := CommandSocket(c)
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
	}}
	var text io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		text = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://localhost"+address, text)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(request)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w with the data in %s; start it, or name its configuration with --config", ErrNotRunning, c.DataDir)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("only root and the user of the server may do that: %w", err)
	case err != nil:
		return nil, err
	case answer.StatusCode != http.StatusOK:
		defer answer.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
		return nil, fmt.Errorf("the server answers %s to %s: %s", answer.Status, address, text)
	}
	return answer.Body, nil
}
