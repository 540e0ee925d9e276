package account

import (
	"strconv"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"
)

// TestQRCode checks that the path of a drawing has the dark units of the code.
func TestQRCode(t *testing.T) {
	const text = "otpauth://totp/trento:ann?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Trento"
	code, err := newQRCode(text)
	if err != nil {
		t.Fatal(err)
	}
	want, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	size := want.Bounds().Dx()
	if code.Size != size+2*qrMargin {
		t.Fatalf("size %d", code.Size)
	}
	dark := map[[2]int]bool{}
	for run := range strings.SplitSeq(strings.TrimSuffix(code.Path, "z"), "z") {
		place, length, ok := strings.Cut(strings.TrimPrefix(run, "M"), "h")
		xText, yText, _ := strings.Cut(place, " ")
		nText, _, _ := strings.Cut(length, "v")
		x, err1 := strconv.Atoi(xText)
		y, err2 := strconv.Atoi(yText)
		n, err3 := strconv.Atoi(nText)
		if !ok || err1 != nil || err2 != nil || err3 != nil {
			t.Fatalf("run %q", run)
		}
		for i := range n {
			dark[[2]int{x + i - qrMargin, y - qrMargin}] = true
		}
	}
	for x := range size {
		for y := range size {
			if r, _, _, _ := want.At(x, y).RGBA(); (r == 0) != dark[[2]int{x, y}] {
				t.Fatalf("unit %d, %d is wrong", x, y)
			}
		}
	}
}
