package api

import (
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"trento/ui/stream"
)

// answerTypes returns the media types in which a route answers, by its path.
// Errors are JSON everywhere, so clients that accept only JSON may use all
// routes.
func answerTypes(route string) []string {
	types := []string{"application/json"}
	switch {
	case path.Ext(route) == ".csv":
		types = append(types, "text/csv")
	case route == docPath:
		types = append(types, "text/html")
	case strings.HasPrefix(route, docPath+"/"):
		types = append(types, "text/css", "text/javascript")
	case route == eventsPath:
		types = append(types, stream.ContentType)
	case route == metricsPath:
		types = append(types, "text/plain")
	case route == "/api/v1/backups":
		types = append(types, "application/octet-stream")
	case route == "/api/v1/support_bundles":
		types = append(types, "application/gzip")
	}
	return types
}

// accepts reports whether a client accepts an answer of one of some media types.
// A client that sends no Accept header accepts everything.
func accepts(r *http.Request, types []string) bool {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return true
	}
	for offer := range strings.SplitSeq(accept, ",") {
		name := mediaType(offer)
		fits := func(t string) bool {
			kind, _, _ := strings.Cut(t, "/")
			return name == "*/*" || name == kind+"/*" || name == t
		}
		if slices.ContainsFunc(types, fits) && !hasZeroWeight(offer) {
			return true
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

// isJSON reports whether the body is declared to be JSON.
func isJSON(r *http.Request) bool {
	return mediaType(r.Header.Get("Content-Type")) == "application/json"
}

// isEncoded reports whether the body is compressed or encoded otherwise. No
// route takes such bodies.
func isEncoded(r *http.Request) bool {
	coding := strings.Join(r.Header.Values("Content-Encoding"), ",")
	return coding != "" && !strings.EqualFold(coding, "identity")
}

// mediaType returns a media type in lower case, without its parameters.
func mediaType(text string) string {
	name, _, _ := strings.Cut(text, ";")
	return strings.ToLower(strings.TrimSpace(name))
}
