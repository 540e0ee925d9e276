package script

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind is the kind of a token.
type tokenKind uint8

const (
	endToken tokenKind = iota
	nameToken
	keywordToken
	numberToken
	textToken
	charToken
	templateToken // the back-tick that begins a text with values in it
	symbolToken
)

// token is a word of the source. Keywords and symbols are in text.
type token struct {
	kind  tokenKind
	text  string
	value Value // of a literal
	Position
	start, end int // bytes of the source
}

var keywords = map[string]bool{
	"let": true, "const": true, "if": true, "else": true, "switch": true, "while": true, "loop": true, "for": true, "in": true,
	"continue": true, "break": true, "return": true, "throw": true, "fn": true, "this": true, "true": true, "false": true,
}

// reservedWords are the words that cannot be names, because Rhai has or may have
// another meaning for them.
var reservedWords = wordSet("var static begin end shared each then goto exit unless match case public protected new use with is module package super" +
	" thread spawn go await async sync yield default void null nil as catch until global")

// unavailableWords are the words of Rhai that do not exist here, because a check
// file must not reach outside or hide errors.
var unavailableWords = wordSet("import export eval print debug sleep timestamp try do private Fn curry")

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

// symbols are the symbols, longer ones before those that they begin with.
var symbols = []string{
	"<<=", ">>=", "..=", "**=", "...", "===", "!==",
	"==", "!=", "<=", ">=", "&&", "||", "??", "?.", "?[", "..", "**", "<<", ">>", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "=>", "#{", "::", "++", "--", "->", "<-", ":=", "|>", "<|",
	"+", "-", "*", "/", "%", "<", ">", "=", "!", "&", "|", "^", "(", ")", "[", "]", "{", "}", ",", ";", ":", ".", "?",
}

// unknownSymbols are symbols that mean nothing here.
var unknownSymbols = map[string]bool{"...": true, "===": true, "!==": true, "++": true, "--": true, "->": true, "<-": true, ":=": true, "|>": true, "<|": true, "?": true}

// lexer makes tokens of a source.
type lexer struct {
	source       string
	offset       int // bytes
	line, column int
}

func (l *lexer) position() Position { return Position{l.line, l.column} }

func (l *lexer) rest() string { return l.source[l.offset:] }

// skip moves over n bytes.
func (l *lexer) skip(n int) {
	for _, c := range l.source[l.offset : l.offset+n] {
		l.column++
		if c == '\n' {
			l.line, l.column = l.line+1, 1
		}
	}
	l.offset += n
}

// next returns the next token.
func (l *lexer) next() (token, *Error) {
	if err := l.skipBlanks(); err != nil {
		return token{}, err
	}
	t := token{Position: l.position(), start: l.offset}
	err := l.read(&t)
	t.end = l.offset
	return t, err
}

func (l *lexer) read(t *token) *Error {
	rest := l.rest()
	if rest == "" {
		return nil
	}
	first, size := utf8.DecodeRuneInString(rest)
	switch {
	case first == '_' || unicode.IsLetter(first):
		return l.readWord(t)
	case first >= '0' && first <= '9':
		return l.readNumber(t)
	case first == '"':
		l.skip(1)
		s, err := l.readText('"', t.Position)
		t.kind, t.value = textToken, NewText(s)
		return err
	case first == '\'':
		l.skip(1)
		s, err := l.readText('\'', t.Position)
		if err == nil && countCharacters(s) != 1 {
			return syntaxError(t.Position, "Invalid character: '%s'", s)
		}
		c, _ := utf8.DecodeRuneInString(s)
		t.kind, t.value = charToken, newChar(c)
		return err
	case first == '`':
		l.skip(1)
		t.kind = templateToken
		return nil
	}
	for _, symbol := range symbols {
		if strings.HasPrefix(rest, symbol) {
			if unknownSymbols[symbol] {
				return syntaxError(t.Position, "Unknown operator: '%s'", symbol)
			}
			l.skip(len(symbol))
			t.kind, t.text = symbolToken, symbol
			return nil
		}
	}
	return syntaxError(t.Position, "Unexpected '%s'", rest[:size])
}

func (l *lexer) skipBlanks() *Error {
	for {
		rest := l.rest()
		blank := len(rest) - len(strings.TrimLeftFunc(rest, unicode.IsSpace))
		l.skip(blank)
		rest = rest[blank:]
		switch {
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.skip(end)
		case strings.HasPrefix(rest, "/*"):
			if err := l.skipComment(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// skipComment moves over a comment with an end, and over those inside it.
func (l *lexer) skipComment() *Error {
	at, depth := l.position(), 0
	for {
		rest := l.rest()
		switch {
		case rest == "":
			return syntaxError(at, "The comment has no end")
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.skip(2)
		case strings.HasPrefix(rest, "*/"):
			depth--
			if l.skip(2); depth == 0 {
				return nil
			}
		default:
			_, size := utf8.DecodeRuneInString(rest)
			l.skip(size)
		}
	}
}

func isWordCharacter(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) }

func (l *lexer) readWord(t *token) *Error {
	rest := l.rest()
	end := strings.IndexFunc(rest, func(c rune) bool { return !isWordCharacter(c) })
	if end < 0 {
		end = len(rest)
	}
	t.kind, t.text = nameToken, rest[:end]
	l.skip(end)
	if keywords[t.text] {
		t.kind = keywordToken
	}
	return nil
}

func (l *lexer) readNumber(t *token) *Error {
	t.kind = numberToken
	rest := l.rest()
	for prefix, base := range map[string]int{"0x": 16, "0X": 16, "0o": 8, "0O": 8, "0b": 2, "0B": 2} {
		if !strings.HasPrefix(rest, prefix) {
			continue
		}
		end := 2
		for end < len(rest) && isWordCharacter(rune(rest[end])) {
			end++
		}
		n, err := strconv.ParseUint(strings.ReplaceAll(rest[2:end], "_", ""), base, 64)
		if err != nil {
			return syntaxError(t.Position, "Malformed number: '%s'", rest[:end])
		}
		l.skip(end)
		t.value = NewInt(int64(n))
		return nil
	}
	return l.readDecimal(t, rest)
}

// readDecimal reads an integer or a number with a fraction. The dot of a method
// call or of a range does not belong to the number.
func (l *lexer) readDecimal(t *token, rest string) *Error {
	digits := func(i int) int {
		for i < len(rest) && (rest[i] >= '0' && rest[i] <= '9' || rest[i] == '_') {
			i++
		}
		return i
	}
	end, isFloat := digits(0), false
	if end+1 < len(rest) && rest[end] == '.' && rest[end+1] >= '0' && rest[end+1] <= '9' {
		end, isFloat = digits(end+1), true
	}
	if end < len(rest) && (rest[end] == 'e' || rest[end] == 'E') {
		from := end + 1
		if from < len(rest) && (rest[from] == '+' || rest[from] == '-') {
			from++
		}
		if to := digits(from); to > from {
			end, isFloat = to, true
		}
	}
	text := strings.ReplaceAll(rest[:end], "_", "")
	if end < len(rest) && isWordCharacter(rune(rest[end])) {
		return syntaxError(t.Position, "Malformed number: '%s'", rest[:end+1])
	}
	l.skip(end)
	if isFloat {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(f, 0) {
			return syntaxError(t.Position, "Malformed number: '%s'", text)
		}
		t.value = NewFloat(f)
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return syntaxError(t.Position, "Malformed number: '%s'", text)
	}
	t.value = NewInt(n)
	return nil
}

// readText reads a text up to its quote.
func (l *lexer) readText(quote byte, at Position) (string, *Error) {
	var text strings.Builder
	for {
		rest := l.rest()
		if rest == "" || rest[0] == '\n' {
			return "", syntaxError(at, "Open string is not terminated")
		}
		c, size := utf8.DecodeRuneInString(rest)
		l.skip(size)
		switch {
		case c == rune(quote):
			return text.String(), nil
		case c == '\\':
			if err := l.readEscape(&text); err != nil {
				return "", err
			}
		default:
			text.WriteRune(c)
		}
	}
}

// readEscape reads what follows a backslash.
func (l *lexer) readEscape(text *strings.Builder) *Error {
	at, rest := l.position(), l.rest()
	if rest == "" {
		return syntaxError(at, "Open string is not terminated")
	}
	simple := map[byte]string{'"': `"`, '\'': "'", '\\': `\`, 'n': "\n", 't': "\t", 'r': "\r", '`': "`", '\n': ""}
	if s, ok := simple[rest[0]]; ok {
		text.WriteString(s)
		l.skip(1)
		return nil
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[rest[0]]
	if digits == 0 || len(rest) <= digits {
		return syntaxError(at, "Invalid escape sequence: '\\%.1s'", rest)
	}
	n, err := strconv.ParseUint(rest[1:1+digits], 16, 32)
	if err != nil || !utf8.ValidRune(rune(n)) {
		return syntaxError(at, "Invalid escape sequence: '\\%s'", strings.ToValidUTF8(rest[:1+digits], "?"))
	}
	text.WriteRune(rune(n))
	l.skip(1 + digits)
	return nil
}

// templateText reads a text with values in it up to its end or to the next
// value. first is true behind the back-tick that begins it: a line break there
// does not count.
func (l *lexer) templateText(first bool, at Position) (text string, value bool, err *Error) {
	if first && strings.HasPrefix(l.rest(), "\n") {
		l.skip(1)
	}
	start := l.offset
	for {
		rest := l.rest()
		switch {
		case rest == "":
			return "", false, syntaxError(at, "Open string is not terminated")
		case rest[0] == '`':
			text = l.source[start:l.offset]
			l.skip(1)
			return text, false, nil
		case strings.HasPrefix(rest, "${"):
			text = l.source[start:l.offset]
			l.skip(2)
			return text, true, nil
		}
		_, size := utf8.DecodeRuneInString(rest)
		l.skip(size)
	}
}
