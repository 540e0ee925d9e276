package api

import (
	_ "embed"
	"net/http"

	swagger "github.com/swaggest/swgui/v5emb"

	"trento/store"
)

// docPath is the path of the page with the documentation of the API.
const docPath = "/api/doc"

//go:embed doc/index.html
var docPage []byte

//go:embed doc/start.js
var docScript []byte

//go:embed doc/dark.css
var docDarkStyle []byte

// docPolicy is the content security policy of that page. The page may load
// files of this server only. Images may also be data URLs, because the style
// sheet of Swagger UI contains its icons.
const docPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// docFiles serves the files of Swagger UI. Its own page is not used, because it
// contains an inline script.
var docFiles = swagger.New("", "", docPath+"/")

// showDocumentation answers GET /api/doc.
func (a *API) showDocumentation(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Security-Policy", docPolicy)
	sendFile(w, "text/html; charset=utf-8", docPage)
	return nil
}

// serveDocumentationFile answers GET /api/doc/{file}.
func (a *API) serveDocumentationFile(w http.ResponseWriter, r *http.Request) error {
	switch pathText(r, "file") {
	case "start.js":
		sendFile(w, "text/javascript; charset=utf-8", docScript)
	case "dark.css":
		sendFile(w, "text/css; charset=utf-8", docDarkStyle)
	case "swagger-ui.css", "swagger-ui-bundle.js":
		w.Header().Set("Cache-Control", "no-cache")
		docFiles.ServeHTTP(w, r)
	default:
		return store.ErrNotFound
	}
	return nil
}

func sendFile(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(body)
}
