package store

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

func TestPackIDs(t *testing.T) {
	const id = `"c0ffee00-1111-4222-8333-444455556666"`
	packed := "\x01\xc0\xff\xee\x00\x11\x11\x42\x22\x83\x33\x44\x44\x55\x55\x66\x66"
	for document, want := range map[string]string{
		``:                                       ``,
		`{}`:                                     `{}`,
		id:                                       packed,
		`{"a":` + id + `}`:                       `{"a":` + packed + `}`,
		`[` + id + `,` + id + `]`:                `[` + packed + `,` + packed + `]`,
		`{` + id + `:1}`:                         `{` + packed + `:1}`,
		`"x` + id[1:]:                            `"x` + id[1:],
		`"C0ffee00-1111-4222-8333-444455556666"`: `"C0ffee00-1111-4222-8333-444455556666"`,
		`"c0ffee001111-4222-8333-4444-55556666"`: `"c0ffee001111-4222-8333-4444-55556666"`,
		`"c0ffee00-1111-4222-8333-44445555666-"`: `"c0ffee00-1111-4222-8333-44445555666-"`,
		`"c0ffee00-1111-4222-8333-4444555566661`: `"c0ffee00-1111-4222-8333-4444555566661`,
		`"c0ffee00-1111-4222-8333-44445555666`:   `"c0ffee00-1111-4222-8333-44445555666`,
		`"\"` + id[1:]:                           `"\` + packed, // odd, but reversible
	} {
		got := packIDs(nil, []byte(document))
		if string(got) != want {
			t.Errorf("%s is packed as %q, want %q", document, got, want)
		}
		if back, err := unpackIDs(got); err != nil || string(back) != document {
			t.Errorf("%s comes back as %s (%v)", document, back, err)
		}
	}
}

func TestPackRoundTrip(t *testing.T) {
	p := newPacker()
	ids := rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	rapid.Check(t, func(t *rapid.T) {
		document, err := json.Marshal(rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.OneOf(rapid.String(), ids))).Draw(t, "metadata"))
		if err != nil {
			t.Fatal(err)
		}
		packed := p.pack([]byte("before"), document)
		if !bytes.HasPrefix(packed, []byte("before")) {
			t.Fatal("what stood in front is gone")
		}
		got, err := p.unpack(packed[len("before"):])
		if err != nil || !bytes.Equal(got, document) {
			t.Fatalf("%s comes back as %s (%v)", document, got, err)
		}
	})
}

// FuzzUnpack gives the unpacker what a damaged file holds.
func FuzzUnpack(f *testing.F) {
	p := newPacker()
	f.Add(p.pack(nil, []byte(`{"host_id":"c0ffee00-1111-4222-8333-444455556666"}`)))
	f.Add([]byte("\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		if document, err := p.unpack(packed); err == nil && len(document) > 3*maxUnpacked {
			t.Errorf("%d bytes out of %d", len(document), len(packed))
		}
	})
}
