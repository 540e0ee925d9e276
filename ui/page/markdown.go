package page

import (
	"bytes"
	"html/template"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// HTML is text that may stand in a page as it is.
type HTML = template.HTML

// headingShift is how many levels the headings of a Markdown text are moved
// down: it stands below a heading of the page.
const headingShift = 2

// markdown leaves dangerous addresses out: without the option that permits them,
// goldmark does so.
var markdown = goldmark.New(goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(sanitizer{}, 0))))

// Markdown returns a Markdown text of others as HTML. HTML in the text is shown
// as it was written, so a <placeholder> is not lost. Images are left out.
func Markdown(source string) HTML {
	var out bytes.Buffer
	_ = markdown.Convert([]byte(source), &out) // fails only if writing fails
	return HTML(out.String())
}

// sanitizer turns HTML into text, removes images, which browsers would load from
// elsewhere, and moves headings down.
type sanitizer struct{}

// Transform implements parser.ASTTransformer.
func (sanitizer) Transform(document *ast.Document, source text.Reader, _ parser.Context) {
	var changed []ast.Node
	_ = ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // cannot fail
		if heading, ok := n.(*ast.Heading); ok && entering {
			heading.Level = min(heading.Level+headingShift, 6)
		}
		switch n.Kind() {
		case ast.KindImage, ast.KindRawHTML, ast.KindHTMLBlock:
			if entering {
				changed = append(changed, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, n := range changed {
		parent := n.Parent()
		switch n := n.(type) {
		case *ast.RawHTML:
			parent.ReplaceChild(parent, n, ast.NewString(n.Segments.Value(source.Source())))
		case *ast.HTMLBlock:
			written := n.Lines().Value(source.Source())
			if n.HasClosure() {
				written = append(written, n.ClosureLine.Value(source.Source())...)
			}
			paragraph := ast.NewParagraph()
			paragraph.AppendChild(paragraph, ast.NewString(bytes.TrimSpace(written)))
			parent.ReplaceChild(parent, n, paragraph)
		default:
			parent.RemoveChild(parent, n)
		}
	}
}
