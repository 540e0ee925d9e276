package store

import (
	_ "embed"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// dictionary1 is sample metadata, so that usual keys and values cost next to
// nothing. The encoding of entries (kv.Dictionary) and this compressor of reports
// and discards start from it, so it must never change. A better one gets the next
// number, which is what its frames name it by, and stands beside it.
//
//go:embed dictionary1.json
var dictionary1 []byte

const dictionary1ID = 1

// maxUnpacked bounds what a damaged value can make us allocate.
const maxUnpacked = 64 << 20

// compressor packs single values. It may be used from several goroutines.
type compressor struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

func newCompressor() *compressor {
	encoder, err := zstd.NewWriter(nil,
		zstd.WithEncoderDictRaw(dictionary1ID, dictionary1), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(64<<10), zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		panic(err) // the options are constants
	}
	decoder, err := zstd.NewReader(nil,
		zstd.WithDecoderDictRaw(dictionary1ID, dictionary1), zstd.WithDecoderConcurrency(0),
		zstd.WithDecoderMaxMemory(maxUnpacked))
	if err != nil {
		panic(err)
	}
	return &compressor{encoder, decoder}
}

// compress appends the packed form of data to dst.
func (c *compressor) compress(dst, data []byte) []byte { return c.encoder.EncodeAll(data, dst) }

func (c *compressor) decompress(packed []byte) ([]byte, error) {
	data, err := c.decoder.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return data, nil
}
