package api

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// openapiFiles are openapi.yaml, which defines everything that several parts
// use, and a part for each noun, with its paths and schemas.
//
//go:embed openapi.yaml openapi/*.yaml
var openapiFiles embed.FS

// The parts of the description that clients can ask for, beside the versions
// "v1", "v2" and "v3".
const (
	unversionedPaths = "unversioned" // paths without a version
	allPaths         = "all"
)

// openapiPart is the content of one file of the description.
type openapiPart struct {
	Components map[string]map[string]any `yaml:"components" json:"components"`
	Paths      map[string]map[string]any `yaml:"paths" json:"paths"`
}

// openapiDocument is the whole description.
type openapiDocument struct {
	openapiPart `yaml:",inline"`

	Info    map[string]any `yaml:"info" json:"info"`
	OpenAPI string         `yaml:"openapi" json:"openapi"`
	Servers []any          `yaml:"servers" json:"servers"`
	Tags    []any          `yaml:"tags" json:"tags"`
}

// wholeOpenAPI returns the whole description. Reading it takes about 20 ms, so
// it is read only once. It panics if the files cannot be joined, which tests
// find before a release.
var wholeOpenAPI = sync.OnceValue(func() openapiDocument {
	whole, err := joinOpenAPI(openapiFiles)
	if err != nil {
		panic(fmt.Sprintf("api: embedded description: %v", err))
	}
	return whole
})

// joinOpenAPI joins openapi.yaml and its parts. It fails if two files define
// the same thing, or if a part defines what must be in openapi.yaml.
func joinOpenAPI(files fs.FS) (whole openapiDocument, err error) {
	if err := readYAML(files, "openapi.yaml", &whole); err != nil {
		return whole, err
	}
	whole.Paths = make(map[string]map[string]any)
	names, err := fs.Glob(files, "openapi/*.yaml")
	if err != nil {
		return whole, err
	}
	for _, name := range names {
		var part openapiPart
		if err := readYAML(files, name, &part); err != nil {
			return whole, err
		}
		if err := addNew(whole.Paths, part.Paths); err != nil {
			return whole, fmt.Errorf("%s: %w", name, err)
		}
		for kind, components := range part.Components {
			if whole.Components[kind] == nil {
				return whole, fmt.Errorf("%s: openapi.yaml has no components called %s", name, kind)
			}
			if err := addNew(whole.Components[kind], components); err != nil {
				return whole, fmt.Errorf("%s: %s: %w", name, kind, err)
			}
		}
	}
	addEnginePaths(whole.Paths)
	addListParameters(whole)
	addCommonResponses(whole.Paths)
	return whole, nil
}

func readYAML(files fs.FS, name string, into any) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// addNew adds entries to a map. It fails if the map has one of the names
// already.
func addNew[V any](to, added map[string]V) error {
	for name, value := range added {
		if _, ok := to[name]; ok {
			return fmt.Errorf("%s is described twice", name)
		}
		to[name] = value
	}
	return nil
}

// anyServer is the server in the JSON of the description, which showOpenAPI
// replaces with the address of this server.
var anyServer = []byte(`"servers":[{"url":"/"}]`)

// describeAPI returns a part of the description as JSON: of all paths, or of
// those that begin with a prefix.
func describeAPI(prefix, part, version string) ([]byte, error) {
	d := wholeOpenAPI()
	d.Info = maps.Clone(d.Info)
	d.Info["version"] = version
	d.Paths = maps.Clone(d.Paths)
	maps.DeleteFunc(d.Paths, func(path string, _ map[string]any) bool {
		belongsTo := versionOf(path)
		if belongsTo == "" {
			belongsTo = unversionedPaths
		}
		return !strings.HasPrefix(path, prefix) || part != belongsTo && part != allPaths
	})
	return json.Marshal(d)
}

// showOpenAPI returns the handler of GET /api/v1/openapi or a similar path,
// which answers with a part of the description. The part is built at the first
// request. Its server is the address at which the client has asked, unless another
// one is configured: programs that have read it from a file or through another
// program do not know it.
func (a *API) showOpenAPI(prefix, part string) func(http.ResponseWriter, *http.Request) error {
	description := sync.OnceValues(func() ([]byte, error) { return describeAPI(prefix, part, a.deps.Version) })
	return func(w http.ResponseWriter, r *http.Request) error {
		text, err := description()
		if err != nil {
			return err
		}
		if address := cmp.Or(a.deps.DocumentedURL, a.deps.Auth.ServerURL(r)); address != "" {
			server, err := marshal(address)
			if err != nil {
				return err
			}
			text = bytes.Replace(text, anyServer, fmt.Appendf(nil, `"servers":[{"url":%s}]`, server), 1)
		}
		w.Header().Set("Cache-Control", "no-cache")
		writeJSON(w, http.StatusOK, text)
		return nil
	}
}
