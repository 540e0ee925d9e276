package kv

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"
)

// maxDecodedBytes limits the memory that a damaged value can allocate.
const maxDecodedBytes = 64 << 20

var errDamagedValue = errors.New("damaged value")

// Dictionary encodes small JSON documents that are similar to a sample. Most of
// their space is used by ids, which cannot be compressed. Ids are therefore
// written as 16 bytes, and S2 compresses the rest with the sample as its
// dictionary. A compressor with an entropy stage would be slower, and documents
// are read far more often than they are written.
//
// BenchmarkEntrySize of package store: a log entry takes 169 bytes. It takes
// 363 bytes without the sample, 214 bytes with ids as text, and 788 bytes as
// JSON.
type Dictionary struct{ s2 *s2.Dict }

// NewDictionary returns the dictionary of a sample. A document can be decoded
// only with the sample with which it was encoded.
func NewDictionary(sample []byte) Dictionary {
	// Ids in the sample must be encoded like the ids in documents.
	return Dictionary{s2.MakeDict(encodeIDs(nil, sample), nil)}
}

// Encode appends a JSON document to dst in compressed form.
func (d Dictionary) Encode(dst, document []byte) []byte {
	return append(dst, d.s2.Encode(nil, encodeIDs(nil, document))...)
}

// Decode returns a document that Encode has encoded.
func (d Dictionary) Decode(encoded []byte) ([]byte, error) {
	document, err := decodeLimited(encoded, d.s2.Decode)
	if err != nil {
		return nil, err
	}
	return decodeIDs(document)
}

// Compress appends data to dst in compressed form.
func Compress(dst, data []byte) []byte { return append(dst, s2.Encode(nil, data)...) }

// Decompress returns data that Compress has compressed.
func Decompress(compressed []byte) ([]byte, error) { return decodeLimited(compressed, s2.Decode) }

func decodeLimited(encoded []byte, with func(dst, src []byte) ([]byte, error)) ([]byte, error) {
	if size, err := s2.DecodedLen(encoded); err != nil || size > maxDecodedBytes {
		return nil, fmt.Errorf("%w: %d bytes (%v)", errDamagedValue, size, err)
	}
	data, err := with(nil, encoded)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamagedValue, err)
	}
	return data, nil
}

// idMarker precedes the 16 bytes of an id, which replace its text and quotes.
// JSON cannot contain this byte.
const idMarker = 0x01

// idTextSize is the length of an id in JSON in bytes, including the quotes.
const idTextSize = 1 + 36 + 1

// encodeIDs appends a document to dst, with each id encoded as 16 bytes.
func encodeIDs(dst, document []byte) []byte {
	for {
		quote := bytes.IndexByte(document, '"')
		if quote < 0 || len(document)-quote < idTextSize {
			return append(dst, document...)
		}
		dst = append(dst, document[:quote]...)
		document = document[quote:]
		if id, ok := parseID(document[:idTextSize]); ok {
			dst = append(append(dst, idMarker), id[:]...)
			document = document[idTextSize:]
			continue
		}
		dst = append(dst, '"')
		document = document[1:]
	}
}

// parseID parses an id in JSON. It accepts only the form that appendIDText
// writes.
func parseID(text []byte) (id [16]byte, ok bool) {
	if text[0] != '"' || text[9] != '-' || text[14] != '-' || text[19] != '-' || text[24] != '-' || text[37] != '"' {
		return id, false
	}
	digit := 0
	for _, c := range text[1 : idTextSize-1] {
		switch {
		case c == '-' && (digit == 8 || digit == 12 || digit == 16 || digit == 20):
			continue
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		default:
			return id, false
		}
		if digit == 32 {
			return id, false
		}
		id[digit/2] = id[digit/2]<<4 | c
		digit++
	}
	return id, digit == 32
}

// decodeIDs reverses encodeIDs.
func decodeIDs(encoded []byte) ([]byte, error) {
	ids := bytes.Count(encoded, []byte{idMarker}) // an upper limit, because the bytes of an id can contain the marker, too
	document := make([]byte, 0, len(encoded)+ids*(idTextSize-17))
	for {
		mark := bytes.IndexByte(encoded, idMarker)
		if mark < 0 {
			return append(document, encoded...), nil
		}
		if len(encoded)-mark < 17 {
			return nil, errDamagedValue
		}
		document = appendIDText(append(document, encoded[:mark]...), encoded[mark+1:mark+17])
		encoded = encoded[mark+17:]
	}
}

func appendIDText(dst, id []byte) []byte {
	dst = append(dst, '"')
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return append(dst, '"')
}
