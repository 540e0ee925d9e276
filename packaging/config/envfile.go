package config

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// assignment is one NAME=value of a configuration file.
type assignment struct {
	Name, Value string
}

const (
	blanks   = " \t\r\n"
	newlines = "\r\n"
	// The characters that a backslash escapes within double quotes. Before any
	// other character the backslash is kept, as in a shell.
	escapable = "\"\\`$"
)

// parseFile reads a configuration file as systemd reads an EnvironmentFile
// (systemd.exec(5); the behaviour is that of version 254 and later):
//
//   - lines beginning with # or ; are comments, empty lines are ignored;
//   - white space around names and values is ignored;
//   - a value, or parts of it, may stand in single or double quotes, which may
//     span lines; white space after a closing quote is ignored as well;
//   - a backslash before the end of a line joins the next line; elsewhere
//     outside quotes, the character after it has no special meaning;
//   - a name given twice has its last value.
//
// systemd silently skips lines without = and lines with an invalid name.
// parseFile skips them as well, and returns a sentence about each.
func parseFile(text string) (assignments []assignment, skipped []string) {
	p := fileParser{line: 1}
	for _, c := range []byte(text) {
		p.step(c)
		if c == '\n' {
			p.line++
		}
	}
	p.end()
	return p.assignments, p.skipped
}

type fileState int

const (
	beforeName fileState = iota
	inComment
	inCommentEscape
	inName
	beforeValue // also after a closing quote
	inValue
	inValueEscape
	inSingleQuotes
	inDoubleQuotes
	inDoubleQuotesEscape
)

type fileParser struct {
	state       fileState
	line        int // of the current character
	nameLine    int // line of the current name
	name, value strings.Builder
	// kept is the length of value up to which trailing white space is kept,
	// because it was quoted or escaped.
	kept        int
	assignments []assignment
	skipped     []string
}

func (p *fileParser) step(c byte) {
	newline := strings.IndexByte(newlines, c) >= 0
	switch p.state {
	case beforeName:
		p.startLine(c)
	case inComment:
		if newline {
			p.state = beforeName
		} else if c == '\\' {
			p.state = inCommentEscape
		}
	case inCommentEscape:
		// A comment never continues on the next line.
		p.state = inComment
		if newline {
			p.state = beforeName
		}
	case inName:
		switch {
		case newline:
			p.skip("has no =")
			p.state = beforeName
		case c == '=':
			p.state = beforeValue
		default:
			p.name.WriteByte(c)
		}
	case beforeValue, inValue:
		p.unquoted(c, newline)
	case inValueEscape:
		p.state = inValue
		if !newline {
			p.keep(c)
		}
	default:
		p.quoted(c)
	}
}

func (p *fileParser) startLine(c byte) {
	switch {
	case c == '#' || c == ';':
		p.state = inComment
	case strings.IndexByte(blanks, c) < 0:
		p.state = inName
		p.nameLine = p.line
		p.name.Reset()
		p.value.Reset()
		p.kept = 0
		p.name.WriteByte(c)
	}
}

// unquoted processes a character of a value outside quotes. A quotation mark
// opens a quoted part only at the start of the value or after another quoted
// part. Elsewhere it is a character like any other.
func (p *fileParser) unquoted(c byte, newline bool) {
	switch {
	case newline:
		p.push()
		p.state = beforeName
	case c == '\\':
		p.state = inValueEscape
		p.kept = p.value.Len()
	case p.state == beforeValue && c == '\'':
		p.state = inSingleQuotes
	case p.state == beforeValue && c == '"':
		p.state = inDoubleQuotes
	case p.state == beforeValue && strings.IndexByte(blanks, c) >= 0:
	default:
		p.state = inValue
		p.value.WriteByte(c)
		if strings.IndexByte(blanks, c) < 0 {
			p.kept = p.value.Len()
		}
	}
}

func (p *fileParser) quoted(c byte) {
	switch {
	case p.state == inSingleQuotes && c == '\'', p.state == inDoubleQuotes && c == '"':
		p.state = beforeValue
	case p.state == inDoubleQuotes && c == '\\':
		p.state = inDoubleQuotesEscape
	case p.state == inDoubleQuotesEscape:
		p.state = inDoubleQuotes
		if strings.IndexByte(escapable, c) >= 0 {
			p.keep(c)
		} else if c != '\n' {
			p.keep('\\')
			p.keep(c)
		}
	default:
		p.keep(c)
	}
}

func (p *fileParser) keep(c byte) {
	p.value.WriteByte(c)
	p.kept = p.value.Len()
}

// end processes the end of the file, which ends an open value, comment or
// quote.
func (p *fileParser) end() {
	switch p.state {
	case beforeName, inComment, inCommentEscape:
	case inName:
		p.skip("has no =")
	default:
		p.push()
	}
}

func (p *fileParser) push() {
	name := strings.TrimRight(p.name.String(), blanks)
	value := p.value.String()[:p.kept]
	switch {
	case !validName(name):
		p.skip("does not begin with a variable name")
	case !utf8.ValidString(value):
		p.skip("is not UTF-8 text")
	default:
		p.assignments = append(p.assignments, assignment{Name: name, Value: value})
	}
}

// skip records that a line was skipped. It never repeats the line, which may
// contain a secret.
func (p *fileParser) skip(why string) {
	p.skipped = append(p.skipped, fmt.Sprintf("line %d is ignored: it %s", p.nameLine, why))
}

func validName(name string) bool {
	for i, c := range name {
		switch {
		case c == '_', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z':
		case '0' <= c && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return name != ""
}
