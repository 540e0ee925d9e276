package ui

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// color is a colour in linear sRGB.
type color [3]float64

// oklch converts from the space the tokens are written in.
func oklch(l, c, h float64) color {
	a, b := c*math.Cos(h*math.Pi/180), c*math.Sin(h*math.Pi/180)
	cube := func(x float64) float64 { return x * x * x }
	lm := cube(l + 0.3963377774*a + 0.2158037573*b)
	mm := cube(l - 0.1055613458*a - 0.0638541728*b)
	sm := cube(l - 0.0894841775*a - 1.2914855480*b)
	return color{
		4.0767416621*lm - 3.3077115913*mm + 0.2309699292*sm,
		-1.2684380046*lm + 2.6097574011*mm - 0.3413193965*sm,
		-0.0041960863*lm - 0.7034186147*mm + 1.7076147010*sm,
	}
}

func (c color) luminance() float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }

func contrast(a, b color) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// themes are the colours of the tokens, light and dark.
type themes map[string][2]color

var (
	tokenLine  = regexp.MustCompile(`(?m)^\s*--([\w-]+): (.*);$`)
	twoColors  = regexp.MustCompile(`^light-dark\(oklch\(([^)]*)\), oklch\(([^)]*)\)\)$`)
	otherToken = regexp.MustCompile(`^var\(--([\w-]+)\)$`)
)

func readTokens(t *testing.T) themes {
	t.Helper()
	_, files := mustLoadAssets(t)
	source, err := fs.ReadFile(files, "tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	tokens := themes{}
	for _, line := range tokenLine.FindAllStringSubmatch(string(source), -1) {
		name, value := line[1], line[2]
		if same := otherToken.FindStringSubmatch(value); same != nil {
			if of, ok := tokens[same[1]]; ok {
				tokens[name] = of
			}
			continue
		}
		pair := twoColors.FindStringSubmatch(value)
		if pair == nil || strings.Contains(value, "/") {
			continue // no colour, or a translucent one
		}
		var both [2]color
		for i, text := range pair[1:] {
			both[i] = readColor(t, name, text)
		}
		tokens[name] = both
	}
	return tokens
}

func readColor(t *testing.T, name, text string) color {
	t.Helper()
	var n [3]float64
	for i, field := range strings.Fields(text) {
		var err error
		if n[i], err = strconv.ParseFloat(field, 64); err != nil {
			t.Fatalf("--%s: %v", name, err)
		}
	}
	c := oklch(n[0], n[1], n[2])
	for _, channel := range c {
		if channel < -0.002 || channel > 1.002 {
			t.Errorf("--%s: oklch(%s) is no colour of a screen: %.3f", name, text, c)
		}
	}
	return c
}

// TestContrast computes the contrast of what stands on what, by WCAG 2.
func TestContrast(t *testing.T) {
	t.Parallel()
	const body, secondary, shape = 7, 4.5, 3
	tests := []struct {
		front string
		backs string
		least float64
	}{
		{"ink", "page surface hover accent-tint", body},
		{"text", "page surface", body},
		{"text", "hover unknown-tint accent-tint", body},
		{"meta", "page surface hover unknown-tint accent-tint", secondary},
		{"outline", "page surface", shape},
		{"accent", "page surface hover unknown-tint accent-tint", secondary},
		{"accent-strong", "page surface hover accent-tint", secondary},
		{"on-accent", "accent accent-strong", secondary},
		{"passing", "surface page hover unknown-tint", shape},
		{"warning", "surface page hover warning-tint unknown-tint", shape},
		{"critical", "surface page hover critical-tint unknown-tint", shape},
		{"unknown", "surface page hover unknown-tint", shape},
		{"passing-text", "surface page passing-tint", secondary},
		{"warning-text", "surface page hover warning-tint unknown-tint", secondary},
		{"critical-text", "surface page hover critical-tint unknown-tint", secondary},
		{"unknown-text", "surface page unknown-tint", secondary},
	}
	tokens := readTokens(t)
	for _, tt := range tests {
		for _, back := range strings.Fields(tt.backs) {
			front, ok := tokens[tt.front]
			behind, ok2 := tokens[back]
			if !ok || !ok2 {
				t.Fatalf("--%s or --%s is no colour", tt.front, back)
			}
			for i, theme := range []string{"light", "dark"} {
				if got := contrast(front[i], behind[i]); got < tt.least {
					t.Errorf("%s: --%s on --%s has %.2f:1, want %.1f:1", theme, tt.front, back, got, tt.least)
				}
			}
		}
	}
}

// TestRamp checks that the greys are in order of lightness in each theme.
func TestRamp(t *testing.T) {
	t.Parallel()
	tokens := readTokens(t)
	for i, theme := range []string{"light", "dark"} {
		for n := 3; n <= 9; n++ {
			before, this := tokens[fmt.Sprintf("grey-%d", n-1)][i], tokens[fmt.Sprintf("grey-%d", n)][i]
			if (this.luminance() < before.luminance()) != (theme == "light") {
				t.Errorf("%s: --grey-%d is on the wrong side of --grey-%d", theme, n, n-1)
			}
		}
	}
}

var (
	colorText  = regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|\b(?:rgb|rgba|hsl|hsla|oklch|oklab|lab|lch|color)\(|:\s*(?:black|white|red|green|gray|grey)\b`)
	usedToken  = regexp.MustCompile(`var\(--([\w-]+)\)`)
	blockStart = regexp.MustCompile(`\{[^}]*\}`)
)

// TestTokensAreTheOnlyColors checks that only tokens.css defines colours, and
// that all tokens in use exist.
func TestTokensAreTheOnlyColors(t *testing.T) {
	t.Parallel()
	_, files := mustLoadAssets(t)
	source, err := fs.ReadFile(files, "tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, line := range tokenLine.FindAllStringSubmatch(string(source), -1) {
		known[line[1]] = true
	}
	for _, name := range append(files.WithSuffix(".css"), files.WithSuffix(".js")...) {
		if name == "tokens.css" {
			continue
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range blockStart.FindAllString(string(body), -1) {
			if path.Ext(name) == ".css" && colorText.MatchString(block) {
				t.Errorf("%s names a colour: %.80s", name, block)
			}
		}
		for _, use := range usedToken.FindAllStringSubmatch(string(body), -1) {
			if !known[use[1]] {
				t.Errorf("%s uses --%s, which is no token", name, use[1])
			}
		}
	}
}
