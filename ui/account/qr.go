package account

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// qrCode is a QR code as an SVG path in a field of Size by Size units, for the
// template "qr".
type qrCode struct {
	Size int // including the margin
	Path string
}

// qrMargin is the empty margin that the standard requires, in units.
const qrMargin = 4

// newQRCode draws a text. Each run of dark units in a row becomes one
// rectangle.
func newQRCode(text string) (qrCode, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return qrCode{}, fmt.Errorf("QR code: %w", err)
	}
	size := code.Bounds().Dx()
	dark := func(x, y int) bool {
		if x >= size {
			return false
		}
		r, _, _, _ := code.At(x, y).RGBA()
		return r == 0
	}
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			if !dark(x, y) {
				continue
			}
			from := x
			for dark(x, y) {
				x++
			}
			fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+qrMargin, y+qrMargin, x-from, x-from)
		}
	}
	return qrCode{size + 2*qrMargin, path.String()}, nil
}
