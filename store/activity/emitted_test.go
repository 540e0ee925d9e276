package activity

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// awaited are the activity types that no code writes yet, grouped by the future
// feature that will write them.
var awaited = map[string][]Type{
	"AI configuration":           {TypeAIConfigurationCreation, TypeAIConfigurationModification, TypeAIConfigurationDeletion},
	"SUSE Multi-Linux Manager":   {TypeSavingSUMASettings, TypeChangingSUMASettings, TypeClearingSUMASettings, TypeSoftwareUpdatesHealthChanged},
	"operations":                 {TypeHostOperationRequested, TypeClusterOperationRequested, TypeClusterHostOperationRequested, TypeApplicationInstanceOperationRequested, TypeSAPSystemOperationRequested, TypeDatabaseOperationRequested, TypeOperationCompleted},
	"never: old versions":        {TypeClusterDiscoveredHealthChanged, TypeApplicationInstanceHealthChanged, TypeDatabaseInstanceHealthChanged},
	"never: another event store": {TypeHostTombstoned, TypeClusterTombstoned, TypeSAPSystemTombstoned, TypeDatabaseTombstoned, TypeHostRollUpRequested, TypeClusterRollUpRequested, TypeSAPSystemRollUpRequested, TypeDatabaseRollUpRequested, TypeHostRolledUp, TypeClusterRolledUp, TypeSAPSystemRolledUp, TypeDatabaseRolledUp},
}

// TestEmittedTypes compares the catalogue with the source code: each type must
// be written somewhere or be listed in awaited.
func TestEmittedTypes(t *testing.T) {
	emitted := emittedTypes(t)
	waiting := map[Type]string{}
	for feature, types := range awaited {
		for _, name := range types {
			if other, twice := waiting[name]; twice {
				t.Errorf("%s is awaited by %s and by %s", name, feature, other)
			}
			waiting[name] = feature
		}
	}
	for _, name := range Types() {
		_, waits := waiting[name]
		switch by := emitted[name]; {
		case waits && len(by) > 0:
			t.Errorf("%s is written by %v now: it belongs no longer to the types that %s will bring", name, by, waiting[name])
		case !waits && len(by) == 0:
			t.Errorf("nobody writes %s, and no feature is named that will", name)
		}
		delete(emitted, name)
		delete(waiting, name)
	}
	for name := range waiting {
		t.Errorf("%s is awaited, and is no type", name)
	}
	t.Logf("%d types in the catalogue, %d of them awaited", len(Types()), len(slices.Concat(slices.Collect(maps.Values(awaited))...)))
}

// emittedTypes returns the types that the source code writes to the log, with
// the files that name them.
func emittedTypes(t *testing.T) map[Type][]string {
	t.Helper()
	types := constants(t)
	for i := range catalogue {
		if _, foreign := catalogue[i].event().(*Foreign); !foreign {
			types[reflect.TypeOf(catalogue[i].event()).Elem().Name()] = catalogue[i].eventType()
		}
	}
	emitted := map[Type][]string{}
	for _, pattern := range []string{"../*.go", "../landscape/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files (%v)", pattern, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			ast.Inspect(parse(t, file), func(n ast.Node) bool {
				selector, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if room, ok := selector.X.(*ast.Ident); ok && room.Name == "activity" {
					if name, ok := types[selector.Sel.Name]; ok && !slices.Contains(emitted[name], file) {
						emitted[name] = append(emitted[name], file)
					}
				}
				return true
			})
		}
	}
	return emitted
}

// constants returns the constants in type.go with their types.
func constants(t *testing.T) map[string]Type {
	t.Helper()
	types := map[string]Type{}
	ast.Inspect(parse(t, "type.go"), func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if text, ok := spec.Values[0].(*ast.BasicLit); ok {
				types[spec.Names[0].Name] = Type(strings.Trim(text.Value, `"`))
			}
		}
		return true
	})
	if len(types) != len(Types()) {
		t.Fatalf("%d constants for %d types", len(types), len(Types()))
	}
	return types
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
