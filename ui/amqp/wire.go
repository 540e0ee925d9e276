package amqp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// The errors of a decoder. All of them end the connection.
var (
	errFieldTooLong  = errors.New("a field ends behind the end of its frame")
	errTrailingBytes = errors.New("bytes follow the last argument")
)

// maxTableDepth limits tables and arrays within tables. Agents and libraries
// nest two deep.
const maxTableDepth = 8

// table is a field table (AMQP 0-9-1, 4.2.5.5, with the kinds that RabbitMQ
// reads).
type table map[string]any

// decoder reads the arguments of a method or the properties of a content
// header. After the first error, all values it reads are zero.
type decoder struct {
	rest []byte
	err  error
	// bits are the remaining bits of the last byte that bit has read; bitCount
	// is their number.
	bits     byte
	bitCount int
}

func (d *decoder) takeBytes(n int) []byte {
	d.bitCount = 0
	if d.err == nil && (n < 0 || n > len(d.rest)) {
		d.err = errFieldTooLong
	}
	if d.err != nil {
		return nil
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *decoder) uint8() uint8 {
	if b := d.takeBytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint16() uint16 {
	if b := d.takeBytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (d *decoder) uint32() uint32 {
	if b := d.takeBytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.takeBytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// bit reads one of the bits that are packed into a byte, lowest first.
func (d *decoder) bit() bool {
	if d.bitCount == 0 {
		d.bits = d.uint8()
		d.bitCount = 8
	}
	set := d.bits&1 != 0
	d.bits >>= 1
	d.bitCount--
	return set
}

func (d *decoder) shortText() string { return string(d.takeBytes(int(d.uint8()))) }

func (d *decoder) longText() string { return string(d.longBytes()) }

// longBytes reads bytes with a 32-bit length. They share memory with the frame.
func (d *decoder) longBytes() []byte {
	n := d.uint32()
	if n > math.MaxInt32 {
		d.takeBytes(-1)
		return nil
	}
	return d.takeBytes(int(n))
}

func (d *decoder) table() table { return d.tableAtDepth(0) }

func (d *decoder) tableAtDepth(depth int) table {
	if depth > maxTableDepth {
		d.fail(fmt.Errorf("a table is nested more than %d deep", maxTableDepth))
		return nil
	}
	inner := decoder{rest: d.longBytes(), err: d.err}
	t := table{}
	for len(inner.rest) > 0 && inner.err == nil {
		name := inner.shortText()
		t[name] = inner.tableValue(depth)
	}
	d.fail(inner.err)
	return t
}

func (d *decoder) arrayAtDepth(depth int) []any {
	if depth > maxTableDepth {
		d.fail(fmt.Errorf("an array is nested more than %d deep", maxTableDepth))
		return nil
	}
	inner := decoder{rest: d.longBytes(), err: d.err}
	var array []any
	for len(inner.rest) > 0 && inner.err == nil {
		array = append(array, inner.tableValue(depth))
	}
	d.fail(inner.err)
	return array
}

// tableValue reads a value of a table. It knows the kinds of values that RabbitMQ
// reads, which differ a little from the standard.
func (d *decoder) tableValue(depth int) any {
	switch kind := d.uint8(); kind {
	case 't':
		return d.uint8() != 0
	case 'b':
		return int8(d.uint8())
	case 'B':
		return d.uint8()
	case 's':
		return int16(d.uint16())
	case 'u':
		return d.uint16()
	case 'I':
		return int32(d.uint32())
	case 'i':
		return d.uint32()
	case 'l':
		return int64(d.uint64())
	case 'f':
		return math.Float32frombits(d.uint32())
	case 'd':
		return math.Float64frombits(d.uint64())
	case 'D': // decimal: scale and value; no caller needs it
		d.uint8()
		return int32(d.uint32())
	case 'S':
		return d.longText()
	case 'x':
		return append([]byte(nil), d.longBytes()...)
	case 'A':
		return d.arrayAtDepth(depth + 1)
	case 'T':
		return time.Unix(int64(d.uint64()), 0)
	case 'F':
		return d.tableAtDepth(depth + 1)
	case 'V':
		return nil
	default:
		d.fail(fmt.Errorf("a table has a value of the unknown kind %q", kind))
		return nil
	}
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// checkEnd returns the first error, or errTrailingBytes if bytes are left.
func (d *decoder) checkEnd() error {
	if d.err == nil && len(d.rest) > 0 {
		d.err = errTrailingBytes
	}
	return d.err
}

// appendShortText appends a text with an 8-bit length. A longer text is cut
// off, but callers never pass one.
func appendShortText(b []byte, text string) []byte {
	text = text[:min(len(text), math.MaxUint8)]
	return append(append(b, byte(len(text))), text...)
}

func appendLongText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

// appendTable appends a table of texts, booleans and tables, in any order.
func appendTable(b []byte, t table) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	for name, value := range t {
		b = appendShortText(b, name)
		switch value := value.(type) {
		case string:
			b = appendLongText(append(b, 'S'), value)
		case bool:
			b = append(b, 't', asBit(value))
		case table:
			b = appendTable(append(b, 'F'), value)
		default:
			panic(fmt.Sprintf("amqp: no encoding for %T", value))
		}
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

func asBit(set bool) byte {
	if set {
		return 1
	}
	return 0
}

func appendUint16(b []byte, n uint16) []byte { return binary.BigEndian.AppendUint16(b, n) }
func appendUint32(b []byte, n uint32) []byte { return binary.BigEndian.AppendUint32(b, n) }
func appendUint64(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(b, n) }
