package page

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// Style and script of the console are written in several files and sent as one
// each, without comments and indentation, so that a page needs few requests and
// bytes. The files are our own and use a small part of the language. Anything
// else in them fails the start. A bundler library would add ten megabytes to the
// program.

var (
	cssImport = regexp.MustCompile(`^@import "([a-z]+\.css)"( [a-z]+)?;$`)
	jsImport  = regexp.MustCompile(`^import (?:\{ (\w+(?:, \w+)*) \} from )?'\./([a-z]+)\.js';$`)
	jsExport  = regexp.MustCompile(`^export ((?:const|class|function|async function) (\w+).*)$`)
	// jsUnsupported matches imports and exports of other forms than above.
	jsUnsupported = regexp.MustCompile(`^\s*(import|export)\b|\bimport\s*[.(]`)
	// jsComment matches a comment up to the end of a line. One with a quotation
	// mark behind code is not matched: it might be a part of a text.
	jsComment = regexp.MustCompile("^//.*$| // [^'\"`]*$")
	// cssComment matches a comment or, so that none is found in it, a text.
	cssComment = regexp.MustCompile(`(?s)"[^"]*"|/\*.*?\*/`)
	cssIndent  = regexp.MustCompile(`\s*\n\s*`)
)

// bundleStyle returns a style sheet with its imports replaced by their content.
func bundleStyle(files fs.FS, name string) ([]byte, error) {
	source, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	for line := range strings.Lines(string(source)) {
		found := cssImport.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			return nil, fmt.Errorf("%s: only imports are expected: %q", name, line)
		}
		part, err := fs.ReadFile(files, found[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if strings.Contains(string(part), "@import") || strings.Contains(string(part), "@charset") {
			return nil, fmt.Errorf("%s: an @import or @charset counts only at the beginning", found[1])
		}
		part = withoutComments(part)
		if medium := strings.TrimSpace(found[2]); medium != "" {
			part = fmt.Appendf(nil, "@media %s {\n%s}\n", medium, part)
		}
		out.Write(part)
	}
	return []byte(out.String()), nil
}

// withoutComments returns a style sheet without comments, indentation and empty
// lines.
func withoutComments(style []byte) []byte {
	style = cssComment.ReplaceAllFunc(style, func(found []byte) []byte {
		if found[0] == '"' {
			return found
		}
		return nil
	})
	return append(bytes.TrimSpace(cssIndent.ReplaceAll(style, []byte("\n"))), '\n')
}

// bundle joins ES modules. Each becomes a function that is called once, in the
// order of the imports, and returns its exports. So names of modules do not
// clash.
type bundle struct {
	files      fs.FS
	out        strings.Builder
	exports    map[string][]string // by module, for the modules that are written already
	inProgress []string            // modules whose imports are being written; one of them again is a cycle
}

// bundleScript returns a module with everything it imports. name has no suffix.
func bundleScript(files fs.FS, name string) ([]byte, error) {
	b := bundle{files: files, exports: make(map[string][]string)}
	if err := b.addModule(name); err != nil {
		return nil, err
	}
	return []byte(b.out.String()), nil
}

// addModule writes a module after those that it imports.
func (b *bundle) addModule(name string) error {
	if _, ok := b.exports[name]; ok {
		return nil
	}
	if slices.Contains(b.inProgress, name) {
		return fmt.Errorf("%s.js imports itself: %s", name, strings.Join(append(b.inProgress, name), " > "))
	}
	b.inProgress = append(b.inProgress, name)
	source, err := fs.ReadFile(b.files, name+".js")
	if err != nil {
		return err
	}
	var body strings.Builder
	var exports []string
	for line := range strings.Lines(string(source)) {
		text := strings.TrimSpace(jsComment.ReplaceAllString(strings.TrimSpace(line), ""))
		if text == "" {
			continue
		}
		if strings.Count(text, "`")%2 != 0 {
			return fmt.Errorf("%s.js: a text over several lines would lose its indentation: %s", name, text)
		}
		line = text + "\n"
		if found := jsImport.FindStringSubmatch(text); found != nil {
			if line, err = b.importModule(found[2], found[1]); err != nil {
				return fmt.Errorf("%s.js: %w", name, err)
			}
		} else if found := jsExport.FindStringSubmatch(text); found != nil {
			line = found[1] + "\n"
			exports = append(exports, found[2])
		} else if jsUnsupported.MatchString(text) {
			return fmt.Errorf("%s.js: not understood: %s", name, text)
		}
		body.WriteString(line)
	}
	b.inProgress = b.inProgress[:len(b.inProgress)-1]
	b.exports[name] = exports
	fmt.Fprintf(&b.out, "// %s.js\nconst $%s = (() => {\n%sreturn { %s };\n})();\n", name, name, body.String(), strings.Join(exports, ", "))
	return nil
}

// importModule writes a module, and returns the line that declares the names
// imported from it.
func (b *bundle) importModule(name, names string) (string, error) {
	if err := b.addModule(name); err != nil || names == "" {
		return "", err
	}
	for imported := range strings.SplitSeq(names, ", ") {
		if !slices.Contains(b.exports[name], imported) {
			return "", fmt.Errorf("%s.js does not export %s", name, imported)
		}
	}
	return fmt.Sprintf("const { %s } = $%s;\n", names, name), nil
}
