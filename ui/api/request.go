package api

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/mux"
)

// bodyBytes is the body of a request after it has been read.
type bodyBytes []byte

func (bodyBytes) Read([]byte) (int, error) { return 0, io.EOF }

func (bodyBytes) Close() error { return nil }

// isJSON reports whether the body is declared to be JSON.
func isJSON(r *http.Request) bool {
	return mediaType(r.Header.Get("Content-Type")) == "application/json"
}

// mediaType returns a media type in lower case, without its parameters.
func mediaType(text string) string {
	name, _, _ := strings.Cut(text, ";")
	return strings.ToLower(strings.TrimSpace(name))
}

// acceptsJSON reports whether the client accepts JSON. A client that sends no
// Accept header does.
func acceptsJSON(r *http.Request) bool { return accepts(r, "application/json") }

// accepts reports whether the client accepts a media type.
func accepts(r *http.Request, wanted string) bool {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return true
	}
	for offer := range strings.SplitSeq(accept, ",") {
		switch class, _, _ := strings.Cut(wanted, "/"); mediaType(offer) {
		case "*/*", class + "/*", wanted:
			if !hasZeroWeight(offer) {
				return true
			}
		}
	}
	return false
}

// hasZeroWeight reports whether a part of an Accept header has the weight 0.
func hasZeroWeight(offer string) bool {
	for parameter := range strings.SplitSeq(offer, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return err == nil && weight == 0
		}
	}
	return false
}

// pathText returns a variable of the path, unescaped.
func pathText(r *http.Request, name string) string {
	text, _ := url.PathUnescape(mux.Vars(r)[name]) // cannot fail: net/http has parsed the URL
	return text
}
