package ui

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store"
	"trento/ui/page"
)

// changing is what differs in every frame.
var changing = regexp.MustCompile(` data-(cursor|snapshot)="[^"]*"`)

// equalBut compares two texts line by line, without what an expression finds
// in a line. Most lines are equal as they are, and are told so without it.
func equalBut(volatile *regexp.Regexp, got, want string) bool {
	return slices.EqualFunc(strings.Split(got, "\n"), strings.Split(want, "\n"), func(got, want string) bool {
		return got == want || volatile.ReplaceAllString(got, "") == volatile.ReplaceAllString(want, "")
	})
}

var unchangedPlace = regexp.MustCompile(`<[a-z0-9]+ id="([^"]*)" data-unchanged></[a-z0-9]+>`)

// frameReader does what the script of the console does, see swap.js: it keeps a
// page, and puts the parts that have changed into it.
type frameReader struct {
	f        *fixture
	t        *testing.T
	as       string
	snapshot string
	elements map[string]string // the text of those with an id
	frame    string
}

// open opens a page, and returns what its frame is.
func (b *frameReader) open(target string) string {
	b.t.Helper()
	w := b.f.do(call{target: target, as: b.as})
	page := w.Body.String()
	from := strings.Index(page, `<div class="frame"`)
	if w.Code != http.StatusOK || from < 0 {
		b.t.Fatalf("%s: %d %s", target, w.Code, page)
	}
	b.take(page[from : strings.LastIndex(page, "</main>\n</div>")+len("</main>\n</div>")])
	return b.frame
}

// fetch fetches the frame of a page, and returns what was sent of it.
func (b *frameReader) fetch(target string) string {
	b.t.Helper()
	w := b.f.do(call{target: target, as: b.as, header: http.Header{"X-Fragment": {"frame; snapshot=" + b.snapshot}}})
	if w.Code != http.StatusOK {
		b.t.Fatalf("%s: %d", target, w.Code)
	}
	sent := w.Body.String()
	b.take(unchangedPlace.ReplaceAllStringFunc(sent, func(place string) string {
		id, _, _ := strings.Cut(strings.SplitAfterN(place, `id="`, 2)[1], `"`)
		known, ok := b.elements[id]
		if !ok {
			b.t.Errorf("%s: %s is left out, and was never sent", target, id)
		}
		return known
	}))
	return sent
}

// take makes a whole frame the one that is shown.
func (b *frameReader) take(frame string) {
	b.t.Helper()
	frame = strings.TrimSpace(frame)
	b.frame, b.elements = frame, make(map[string]string)
	s := page.NewSentFrames()
	for _, p := range s.Pieces([]byte(frame)) {
		b.elements[p.ID] = frame[p.Start:p.End]
	}
	_, rest, _ := strings.Cut(frame, `data-snapshot="`)
	b.snapshot, _, _ = strings.Cut(rest, `"`)
}

// mustEqual compares what two readers have of one page.
func (b *frameReader) mustEqual(other *frameReader) {
	b.t.Helper()
	if equalBut(changing, b.frame, other.frame) {
		return
	}
	lines := func(frame string) []string { return strings.Split(changing.ReplaceAllString(frame, ""), "\n") }
	if diff := cmp.Diff(lines(other.frame), lines(b.frame)); diff != "" {
		b.t.Fatalf("the page, and what was made of the fragment (-want +got):\n%s", diff)
	}
}

// TestFragmentsSayWhatHasChanged checks that the present page results from the
// snapshot and the fragment, and that the fragment has only the differences.
func TestFragmentsSayWhatHasChanged(t *testing.T) {
	t.Parallel()
	f := fleetFixture(t, 40)
	f.indexed()
	v := f.land()
	tags := 0
	tag := func() {
		tags++
		if err := f.store.AddTag(t.Context(), store.System(), store.HostTag, string(v.Hosts[0].ID), fmt.Sprint("tag", tags)); err != nil {
			t.Fatal(err)
		}
		f.indexed()
	}
	for _, target := range []string{
		"/", "/hosts?per_page=50", "/hosts?sort=hostname", "/clusters", "/databases", "/sap_systems", "/cleanup", "/availability", "/activity_log", "/about",
		"/hosts/" + string(v.Hosts[0].ID), "/clusters/" + string(v.Clusters[0].ID), "/sap_systems/" + string(v.Systems[0].ID),
	} {
		t.Run(target, func(t *testing.T) {
			b := &frameReader{f: f, t: t, as: "admin"}
			whole := b.open(target)
			same := b.fetch(target)
			if !equalBut(changing, b.frame, whole) {
				t.Error("nothing happened, and the page is another one")
			}
			if len(same) > len(whole)/3 {
				t.Errorf("nothing happened, and %d bytes of %d are sent", len(same), len(whole))
			}
			for i := range 4 {
				if tag(); i == 2 {
					f.silence() // every row changes, and its place
				}
				sent := b.fetch(target)
				now := &frameReader{f: f, t: t, as: "admin"}
				now.open(target)
				b.mustEqual(now)
				t.Logf("change %d: %d bytes of %d", i, len(sent), len(b.frame))
			}
		})
	}
}

// TestFragmentsTellAges checks that a changed age is sent, without the rest of
// the page.
func TestFragmentsTellAges(t *testing.T) {
	t.Parallel()
	f := landscapeFixture(t)
	for _, target := range []string{"/", "/hosts", "/hosts/" + string(hostID(1))} {
		b := &frameReader{f: f, t: t, as: "admin"}
		first := b.open(target)
		f.clock.pass(2 * time.Minute)
		if sent := b.fetch(target); !strings.Contains(sent, "data-unchanged") {
			t.Errorf("%s: %d bytes of %d: %s", target, len(sent), len(first), sent)
		}
		now := &frameReader{f: f, t: t, as: "admin"}
		now.open(target)
		b.mustEqual(now)
		f.clock.pass(-2 * time.Minute)
	}
}

// TestFragmentsAcrossPages checks that the fragment of another page may rely on
// the snapshot of the page that is shown.
func TestFragmentsAcrossPages(t *testing.T) {
	t.Parallel()
	f := fleetFixture(t, 40)
	b := &frameReader{f: f, t: t, as: "plain"}
	b.open("/hosts")
	for _, target := range []string{"/hosts?sort=hostname", "/hosts?sort=-hostname", "/hosts?health=critical", "/hosts?page=2", "/hosts?q=nothing+at+all", "/hosts"} {
		b.fetch(target)
		now := &frameReader{f: f, t: t, as: "plain"}
		now.open(target)
		b.mustEqual(now)
	}
}

// TestFragmentsOfUnknownSnapshots checks that a request with the snapshot of
// another user, or with one that is not kept any more, gets the whole frame.
func TestFragmentsOfUnknownSnapshots(t *testing.T) {
	t.Parallel()
	f := landscapeFixture(t)
	admin, plain := &frameReader{f: f, t: t, as: "admin"}, &frameReader{f: f, t: t, as: "plain"}
	whole := admin.open("/hosts")
	plain.open("/hosts")
	for name, header := range map[string]string{
		"of somebody else": "frame; snapshot=" + plain.snapshot, "unknown": "frame; snapshot=xyz", "none": "frame", "odd": "frame;;;", "empty": "frame; snapshot=",
	} {
		w := f.do(call{target: "/hosts", as: "admin", header: http.Header{"X-Fragment": {header}}})
		if strings.Contains(w.Body.String(), "data-unchanged") || w.Body.Len() < len(whole) {
			t.Errorf("%s: %d bytes", name, w.Body.Len())
		}
	}
}

// BenchmarkPieces is what the pieces add to the making of a page.
func BenchmarkPieces(b *testing.B) {
	f := fleetFixture(b, 200)
	body := f.do(call{target: "/hosts?per_page=100", as: "admin"}).Body.Bytes()
	s := page.NewSentFrames()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		s.Keep("x", 1, s.Pieces(body))
	}
}
