package ui

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"trento/store"
	"trento/ui/page"
)

// aboutPage shows the version of the server and the size of its data.
type aboutPage struct {
	page.Frame
	Facts    []page.Fact
	Holdings []page.Fact
	Proxies  []string // addresses that forward requests without being trusted
	// Certificate is shown to those who connect agents. Readable (of the frame)
	// says that the reader should use https.
	Certificate *certificateSection
	// Checks is shown to those who change settings.
	Checks *checksSection
}

// Template implements page.Page.
func (*aboutPage) Template() string { return "about" }

// showAbout answers GET /about.
func (s *server) showAbout(w http.ResponseWriter, r *http.Request) error {
	p := aboutPage{Frame: s.NewFrame(r, "About")}
	p.Live = "host cluster database sap_system"
	var land *page.Snapshot
	var behind time.Duration
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		p.Seq = tx.LastChange()
		if behind, err = s.Search.Behind(tx, s.Store.Now()); err != nil {
			return err
		}
		land, err = s.Snapshot(tx)
		return err
	})
	if err != nil {
		return err
	}
	p.CountCritical(land)
	subscriptions := 0
	for _, h := range land.Hosts {
		for _, sub := range h.Subscriptions {
			if sub.Identifier == "SLES_SAP" {
				subscriptions++
			}
		}
	}
	size, err := s.Store.Size()
	if err != nil {
		return err
	}
	p.Facts = []page.Fact{
		{Label: "Server version", Text: s.Version},
		{Label: "Go version", Text: runtime.Version()},
		{Label: "Platform", Text: runtime.GOOS + "/" + runtime.GOARCH},
		s.TimestampFact("Started", s.startedAt),
		{Label: "Your connection", Text: connectionText(p.Reader)},
	}
	if p.Can(page.AbilityAPIKey) {
		if p.Checks, err = s.newChecksSection(r, p.Reader); err != nil {
			return err
		}
	}
	if s.Certificate != nil && p.Can(page.AbilityAPIKey) {
		p.Certificate = s.newCertificateSection(s.Certificate())
	}
	for _, address := range s.Auth.UntrustedProxies() {
		p.Proxies = append(p.Proxies, address.String())
	}
	p.Holdings = []page.Fact{
		{Label: "Hosts", Text: strconv.Itoa(len(land.Hosts))},
		{Label: "Clusters", Text: strconv.Itoa(len(land.Clusters))},
		{Label: "SAP systems", Text: strconv.Itoa(len(land.Systems))},
		{Label: "HANA databases", Text: strconv.Itoa(len(land.Databases))},
		{Label: "SLES for SAP subscriptions", Text: strconv.Itoa(subscriptions) + " found"},
		{Label: "Data file", Text: formatSize(size)},
		indexFact(behind),
	}
	return s.Render(w, r, http.StatusOK, &p)
}

// connectionText says whether the connection of the reader is encrypted.
func connectionText(reader page.Reader) string {
	switch {
	case strings.HasPrefix(reader.Server, "https:"):
		return "encrypted (https)"
	case reader.Readable:
		return "not encrypted (http)"
	}
	return "not encrypted (http), from the machine of the server"
}

// certificateSection is what the page shows of the TLS certificate.
type certificateSection struct {
	Facts  []page.Fact
	Faults []string
}

func (s *server) newCertificateSection(c page.Certificate) *certificateSection {
	issuer := c.Issuer
	if c.SelfSigned {
		issuer += " (self-signed)"
	}
	return &certificateSection{
		Facts: []page.Fact{
			{Label: "Valid for", Lines: c.Names}, {Label: "Issued by", Text: issuer}, s.TimestampFact("Valid until", c.NotAfter),
			{Label: "SHA-256 fingerprint", Text: c.Fingerprint, Mono: true, Wide: true},
		},
		Faults: c.Faults,
	}
}

// indexTolerance is how far the index may be behind the log before the page
// mentions it.
const indexTolerance = 5 * time.Second

// indexFact says whether the search index includes the newest entries.
func indexFact(behind time.Duration) page.Fact {
	f := page.Fact{Label: "Search index", Text: "up to date"}
	if behind > indexTolerance {
		f.Text = "catching up; searches find everything meanwhile, more slowly"
	}
	return f
}

// formatSize formats a number of bytes in powers of ten, as disks are sold.
func formatSize(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB"}
	value, unit := float64(n), 0
	for value >= 1000 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	digits := 1
	if unit == 0 || value >= 100 {
		digits = 0
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + " " + units[unit]
}
