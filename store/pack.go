package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"
)

// Metadata is packed for speed first: a page of the log is read far more often
// than an entry is written, and must not wait for a compressor with an entropy
// stage. What costs most space are ids, which no compressor can guess, so they
// are written as the 16 bytes they are; S2 with a dictionary does the rest.

// idMark stands in front of the 16 bytes of an id, in the place of its text
// and the quotes around it. No control character can be in JSON.
const idMark = 0x01

// idText is the length of an id in JSON, quotes included.
const idText = 1 + 36 + 1

// packer packs the metadata of entries. It may be used from several
// goroutines.
type packer struct{ dictionary *s2.Dict }

func newPacker() packer {
	// The dictionary looks as what it is for, so its ids are packed, too.
	return packer{s2.MakeDict(packIDs(nil, dictionary1), nil)}
}

// pack appends the packed form of a JSON document to dst.
func (p packer) pack(dst, document []byte) []byte {
	return append(dst, p.dictionary.Encode(nil, packIDs(nil, document))...)
}

var errPacked = errors.New("damaged metadata")

func (p packer) unpack(packed []byte) ([]byte, error) {
	if size, err := s2.DecodedLen(packed); err != nil || size > maxUnpacked {
		return nil, fmt.Errorf("%w: %d bytes (%v)", errPacked, size, err)
	}
	document, err := p.dictionary.Decode(nil, packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPacked, err)
	}
	return unpackIDs(document)
}

// packIDs appends a document to dst with its ids in their packed form.
func packIDs(dst, document []byte) []byte {
	for {
		quote := bytes.IndexByte(document, '"')
		if quote < 0 || len(document)-quote < idText {
			return append(dst, document...)
		}
		dst = append(dst, document[:quote]...)
		document = document[quote:]
		if id, ok := parseID(document[:idText]); ok {
			dst = append(append(dst, idMark), id[:]...)
			document = document[idText:]
			continue
		}
		dst = append(dst, '"')
		document = document[1:]
	}
}

// parseID reads an id as it is written in JSON, of no other form than that in
// which putID writes it.
func parseID(text []byte) (id [16]byte, ok bool) {
	if text[0] != '"' || text[9] != '-' || text[14] != '-' || text[19] != '-' || text[24] != '-' || text[37] != '"' {
		return id, false
	}
	digit := 0
	for _, c := range text[1 : idText-1] {
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

// unpackIDs is the reverse of packIDs.
func unpackIDs(packed []byte) ([]byte, error) {
	ids := bytes.Count(packed, []byte{idMark}) // or more: the mark may be in an id
	document := make([]byte, 0, len(packed)+ids*(idText-17))
	for {
		mark := bytes.IndexByte(packed, idMark)
		if mark < 0 {
			return append(document, packed...), nil
		}
		if len(packed)-mark < 17 {
			return nil, errPacked
		}
		document = putID(append(document, packed[:mark]...), packed[mark+1:mark+17])
		packed = packed[mark+17:]
	}
}

func putID(dst, id []byte) []byte {
	dst = append(dst, '"')
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return append(dst, '"')
}
