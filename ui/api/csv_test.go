package api

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestQuoteFormula(t *testing.T) {
	t.Parallel()
	for _, start := range []string{
		"=", "+", "-", "@", "\t", "\r", "\n", "\x00", // the plain ones, and what splits cells
		"\uFF1D", "\uFF0B", "\uFF0D", "\uFF20", // full width
		"\uFE66", "\uFE62", "\uFE63", "\uFE6B", // small
		"\u207C", "\u207A", "\u208C", "\u208A", // raised and lowered
		"\u2212", "\u207B", // minus
		" =", "\u00A0+", "\u3000\uFF1D", "\uFEFF=", "\u200B-", "\u202E@", "\u2066 =", // behind what is not seen
	} {
		if got := quoteFormula(start + "1+1"); got != "'"+start+"1+1" {
			t.Errorf("%+q stays %+q", start+"1+1", got)
		}
	}
	for _, text := range []string{"", "hana01", "–", "a=b", "10.0.0.1", " x", "'=1", "{\"a\":1}", "é", "\u200Bx", "\xff"} {
		if got := quoteFormula(text); got != text {
			t.Errorf("%+q becomes %+q", text, got)
		}
	}
}

func TestCSVWriter(t *testing.T) {
	t.Parallel()
	for mark, want := range map[bool]string{false: "", true: "\xEF\xBB\xBF"} {
		var b strings.Builder
		out, err := NewCSVWriter(&b, mark)
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range [][]string{{"Time", "Name"}, {"x", "two\nlines, a \"quote\""}, {"=1", "\uFF1D1"}} {
			if err := out.Write(record...); err != nil {
				t.Fatal(err)
			}
		}
		if err := out.Flush(); err != nil {
			t.Fatal(err)
		}
		if want += "Time,Name\r\nx,\"two\r\nlines, a \"\"quote\"\"\"\r\n'=1,'\uFF1D1\r\n"; b.String() != want {
			t.Errorf("mark %v: %q, want %q", mark, b.String(), want)
		}
	}
}

func TestCSVTimesSortAsText(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 28, 11, 28, 52, 0, time.FixedZone("CET", 3600))
	var texts []string
	for _, nanos := range []time.Duration{0, 1000, 912_760_000, 912_761_000, 999_999_999} {
		texts = append(texts, CSVTime(at.Add(nanos)))
	}
	if !slices.IsSorted(texts) || texts[0] != "2026-11-28T10:28:52.000000Z" {
		t.Errorf("%q", texts)
	}
	for _, text := range texts {
		if len(text) != len(texts[0]) {
			t.Errorf("%s is not as long as %s", text, texts[0])
		}
	}
}
