package page

import (
	"net/http"

	"trento/auth"
)

// Connection is what it takes to point an agent at this server.
type Connection struct {
	ServerURL string
	MayRead   bool // the viewer may read the key
	KeyAbove  bool // and the page shows it
}

func (s *Console) Connection(r *http.Request) Connection {
	scheme := "http"
	if s.Auth.IsHTTPS(r) {
		scheme = "https"
	}
	return Connection{ServerURL: scheme + "://" + r.Host, MayRead: auth.From(r.Context()).Can(AbilityAPIKey)}
}
