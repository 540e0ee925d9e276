package ui

import (
	"net/http"
	"strings"

	"trento/auth"
	"trento/ui/page"
)

// isFromProgram reports whether a request to the console comes from a program,
// which cannot use a page as an answer: it shows a token or refuses HTML, or its
// address is for programs. Browsers accept HTML wherever a person follows a
// link. The scripts of the console accept anything.
func isFromProgram(r *http.Request) bool {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	switch {
	case r.Header.Get(page.FragmentHeader) != "" || strings.Contains(accept, "text/html"):
		return false
	case r.Header.Get("Authorization") != "" || auth.IsForPrograms(r.URL.Path):
		return true
	}
	return accept != "" && !strings.Contains(accept, "*/*")
}

// fileExtensions are the endings of the addresses at which lists are files, by the
// media types of the files.
var fileExtensions = map[string]string{"text/csv": ".csv", "application/jsonl": ".jsonl", "application/x-ndjson": ".jsonl"}

// offerFiles answers a program that asks for a list of the console in the form
// of a file, by its Accept header, with the file: /hosts is then /hosts.csv.
func (s *server) offerFiles(next http.Handler) http.Handler {
	files := make(map[string]bool)
	lists := make(map[string]bool)
	for _, route := range s.routes() {
		for _, ending := range fileExtensions {
			if list, ok := strings.CutSuffix(route.Path, ending); ok {
				files[route.Path], lists[list] = true, true
			}
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list := r.URL.Path
		if list == "/" {
			list = "/dashboard"
		}
		if !lists[list] || !page.IsReadOnly(r) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Add("Vary", "Accept")
		accept := strings.Join(r.Header.Values("Accept"), ",")
		for mediaType, ending := range fileExtensions {
			if strings.Contains(accept, mediaType) && files[list+ending] && !strings.Contains(accept, "text/html") {
				file := r.Clone(r.Context())
				file.URL.Path, file.URL.RawPath = list+ending, ""
				r = file
				break
			}
		}
		next.ServeHTTP(w, r)
	})
}
