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
	blankChars   = " \t\r\n"
	newlineChars = "\r\n"
	// The characters that a backslash escapes within double quotes. Before any
	// other character the backslash is kept, as in a shell.
	escapedChars = "\"\\`$"
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
		p.parseChar(c)
		if c == '\n' {
			p.line++
		}
	}
	p.endFile()
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
	line        int // number of the current line
	nameLine    int // number of the line on which the current name stands
	name, value strings.Builder
	// untrimmedLength is the length of value up to which trailing white space is kept,
	// because it was quoted or escaped.
	untrimmedLength int
	assignments     []assignment
	skipped         []string
}

func (p *fileParser) parseChar(c byte) {
	newline := strings.IndexByte(newlineChars, c) >= 0
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
			p.recordSkipped("has no =")
			p.state = beforeName
		case c == '=':
			p.state = beforeValue
		default:
			p.name.WriteByte(c)
		}
	case beforeValue, inValue:
		p.parseUnquoted(c, newline)
	case inValueEscape:
		p.state = inValue
		if !newline {
			p.appendLiteral(c)
		}
	default:
		p.parseQuoted(c)
	}
}

func (p *fileParser) startLine(c byte) {
	switch {
	case c == '#' || c == ';':
		p.state = inComment
	case strings.IndexByte(blankChars, c) < 0:
		p.state = inName
		p.nameLine = p.line
		p.name.Reset()
		p.value.Reset()
		p.untrimmedLength = 0
		p.name.WriteByte(c)
	}
}

// parseUnquoted processes a character of a value outside quotes. A quotation mark
// opens a quoted part only at the start of the value or after another quoted
// part. Elsewhere it is a character like any other.
func (p *fileParser) parseUnquoted(c byte, newline bool) {
	switch {
	case newline:
		p.endAssignment()
		p.state = beforeName
	case c == '\\':
		p.state = inValueEscape
		p.untrimmedLength = p.value.Len()
	case p.state == beforeValue && c == '\'':
		p.state = inSingleQuotes
	case p.state == beforeValue && c == '"':
		p.state = inDoubleQuotes
	case p.state == beforeValue && strings.IndexByte(blankChars, c) >= 0:
	default:
		p.state = inValue
		p.value.WriteByte(c)
		if strings.IndexByte(blankChars, c) < 0 {
			p.untrimmedLength = p.value.Len()
		}
	}
}

func (p *fileParser) parseQuoted(c byte) {
	switch {
	case p.state == inSingleQuotes && c == '\'', p.state == inDoubleQuotes && c == '"':
		p.state = beforeValue
	case p.state == inDoubleQuotes && c == '\\':
		p.state = inDoubleQuotesEscape
	case p.state == inDoubleQuotesEscape:
		p.state = inDoubleQuotes
		if strings.IndexByte(escapedChars, c) >= 0 {
			p.appendLiteral(c)
		} else if c != '\n' {
			p.appendLiteral('\\')
			p.appendLiteral(c)
		}
	default:
		p.appendLiteral(c)
	}
}

func (p *fileParser) appendLiteral(c byte) {
	p.value.WriteByte(c)
	p.untrimmedLength = p.value.Len()
}

// endFile processes the end of the file, which ends an open value, comment or
// quote.
func (p *fileParser) endFile() {
	switch p.state {
	case beforeName, inComment, inCommentEscape:
	case inName:
		p.recordSkipped("has no =")
	default:
		p.endAssignment()
	}
}

func (p *fileParser) endAssignment() {
	name := strings.TrimRight(p.name.String(), blankChars)
	value := p.value.String()[:p.untrimmedLength]
	switch {
	case !isValidName(name):
		p.recordSkipped("does not begin with a variable name")
	case !utf8.ValidString(value):
		p.recordSkipped("is not UTF-8 text")
	default:
		p.assignments = append(p.assignments, assignment{Name: name, Value: value})
	}
}

// recordSkipped records that a line was skipped. It never repeats the line, which may
// contain a secret.
func (p *fileParser) recordSkipped(why string) {
	p.skipped = append(p.skipped, fmt.Sprintf("line %d is ignored: it %s", p.nameLine, why))
}

func isValidName(name string) bool {
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
