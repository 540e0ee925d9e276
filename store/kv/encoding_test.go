package kv

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

func TestEncodeIDs(t *testing.T) {
	const id = `"c0ffee00-1111-4222-8333-444455556666"`
	encoded := "\x01\xc0\xff\xee\x00\x11\x11\x42\x22\x83\x33\x44\x44\x55\x55\x66\x66"
	for document, want := range map[string]string{
		``:                                       ``,
		`{}`:                                     `{}`,
		id:                                       encoded,
		`{"a":` + id + `}`:                       `{"a":` + encoded + `}`,
		`[` + id + `,` + id + `]`:                `[` + encoded + `,` + encoded + `]`,
		`{` + id + `:1}`:                         `{` + encoded + `:1}`,
		`"x` + id[1:]:                            `"x` + id[1:],
		`"C0ffee00-1111-4222-8333-444455556666"`: `"C0ffee00-1111-4222-8333-444455556666"`,
		`"c0ffee001111-4222-8333-4444-55556666"`: `"c0ffee001111-4222-8333-4444-55556666"`,
		`"c0ffee00-1111-4222-8333-44445555666-"`: `"c0ffee00-1111-4222-8333-44445555666-"`,
		`"c0ffee00-1111-4222-8333-4444555566661`: `"c0ffee00-1111-4222-8333-4444555566661`,
		`"c0ffee00-1111-4222-8333-44445555666`:   `"c0ffee00-1111-4222-8333-44445555666`,
		`"\"` + id[1:]:                           `"\` + encoded, // odd, but reversible
	} {
		got := encodeIDs(nil, []byte(document))
		if string(got) != want {
			t.Errorf("%s is encoded as %q, want %q", document, got, want)
		}
		if back, err := decodeIDs(got); err != nil || string(back) != document {
			t.Errorf("%s comes back as %s (%v)", document, back, err)
		}
	}
}

func TestDictionaryRoundTrip(t *testing.T) {
	d := NewDictionary([]byte(`{"host_id":"c0ffee00-1111-4222-8333-444455556666"}`))
	ids := rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	rapid.Check(t, func(t *rapid.T) {
		document, err := json.Marshal(rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.OneOf(rapid.String(), ids))).Draw(t, "metadata"))
		if err != nil {
			t.Fatal(err)
		}
		encoded := d.Encode([]byte("before"), document)
		if !bytes.HasPrefix(encoded, []byte("before")) {
			t.Fatal("what stood in front is gone")
		}
		got, err := d.Decode(encoded[len("before"):])
		if err != nil || !bytes.Equal(got, document) {
			t.Fatalf("%s comes back as %s (%v)", document, got, err)
		}
	})
}

func TestCompressRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		compressed := Compress([]byte("before"), data)
		if !bytes.HasPrefix(compressed, []byte("before")) {
			t.Fatal("what stood in front is gone")
		}
		got, err := Decompress(compressed[len("before"):])
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%x comes back as %x (%v)", data, got, err)
		}
	})
}

// FuzzDecode decodes random bytes, as in a damaged file.
func FuzzDecode(f *testing.F) {
	d := NewDictionary([]byte(`{"host_id":"c0ffee00-1111-4222-8333-444455556666"}`))
	f.Add(d.Encode(nil, []byte(`{"host_id":"c0ffee00-1111-4222-8333-444455556666"}`)))
	f.Add([]byte("\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, encoded []byte) {
		if document, err := d.Decode(encoded); err == nil && len(document) > 3*maxDecodedBytes {
			t.Errorf("%d bytes out of %d", len(document), len(encoded))
		}
	})
}
