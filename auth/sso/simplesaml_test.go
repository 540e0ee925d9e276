package sso_test

import (
	"bytes"
	"encoding/base64"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"trento/auth/sso"
	"trento/auth/sso/ssotest"
)

const origin = "https://trento.test"

// browser is a browser that follows redirects, except to our own addresses.
type browser struct {
	t      *testing.T
	client *http.Client
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), origin) {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

// page is an answer to a browser: a page with a form, or a redirect to an
// address of ours.
type page struct {
	address string // of the page
	ours    string // where we are to be visited; empty: it is the page
	action  string // of the form
	fields  url.Values
	text    string
}

func (b *browser) get(address string) page {
	b.t.Helper()
	answer, err := b.client.Get(address)
	return b.read(answer, err)
}

func (b *browser) post(address string, form url.Values) page {
	b.t.Helper()
	answer, err := b.client.PostForm(address, form)
	return b.read(answer, err)
}

var (
	formAction = regexp.MustCompile(`<form[^>]*action="([^"]*)"`)
	hidden     = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

func (b *browser) read(answer *http.Response, err error) page {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	p := page{address: answer.Request.URL.String(), ours: answer.Header.Get("Location"), fields: url.Values{}, text: string(text)}
	if form := formAction.FindSubmatch(text); form != nil {
		target, err := answer.Request.URL.Parse(html.UnescapeString(string(form[1])))
		if err != nil {
			b.t.Fatal(err)
		}
		p.action = target.String()
	}
	for _, field := range hidden.FindAllSubmatch(text, -1) {
		p.fields.Set(html.UnescapeString(string(field[1])), html.UnescapeString(string(field[2])))
	}
	return p
}

// signIn signs in at the provider and returns the answer that the browser brings.
func (b *browser) signIn(s *sso.SAML, attempt *sso.Attempt, username, password string) url.Values {
	b.t.Helper()
	departure, err := s.Begin(b.t.Context(), attempt)
	if err != nil {
		b.t.Fatal(err)
	}
	form := b.get(departure.URL)
	form.fields.Set("username", username)
	form.fields.Set("password", password)
	answer := b.post(form.action, form.fields)
	if answer.action != origin+"/sso/sp/consume/corporate" {
		b.t.Fatalf("the browser is sent to %q:\n%s", answer.action, answer.text)
	}
	return answer.fields
}

// TestSimpleSAML signs in and out at a real identity provider. It requires
// signed requests, reads our metadata, signs responses and assertions, and
// encrypts.
func TestSimpleSAML(t *testing.T) {
	idp := ssotest.StartSimpleSAML(t, ssotest.User{Username: "ann", Password: "secret", FirstName: "Ann", LastName: "Lee", Email: "ann@example.com"})
	s := ssotest.NewSAML(t, sso.Options{Origin: origin, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, idp.MetadataURL)
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	metadata, err := s.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	idp.Trust(t, metadata)

	b := newBrowser(t)
	attempt := sso.NewAttempt("/hosts", time.Now())
	answer := b.signIn(s, attempt, "ann", "secret")
	if text, err := base64.StdEncoding.DecodeString(answer.Get("SAMLResponse")); err != nil || !bytes.Contains(text, []byte("<saml:EncryptedAssertion")) {
		t.Errorf("error %v, the assertion is not encrypted: %s", err, text)
	}
	person, err := s.Finish(t.Context(), attempt, answer)
	if err != nil {
		t.Fatal(err)
	}
	want := sso.Person{Subject: "ann", Username: "ann", Fullname: "Ann Lee", Email: "ann@example.com", LogoutToken: person.LogoutToken}
	if *person != want || person.LogoutToken == "" {
		t.Errorf("got %+v, want %+v", *person, want)
	}
	if _, err := s.Finish(t.Context(), sso.NewAttempt("/", time.Now()), answer); err == nil {
		t.Error("the answer was taken for another attempt")
	}

	t.Run("the person signs out here", func(t *testing.T) {
		b.t = t
		end := b.get(s.Logout(person.LogoutToken, origin+"/"))
		if !strings.HasPrefix(end.ours, origin+"/sso/sp/logout/corporate?SAMLResponse=") {
			t.Fatalf("the browser is sent to %q:\n%s", end.ours, end.text)
		}
		if _, ok, err := s.ReadLogoutRequest(httptest.NewRequest(http.MethodGet, end.ours, nil)); ok || err != nil {
			t.Errorf("ok %v, error %v", ok, err)
		}
	})
	t.Run("the person signs out there", func(t *testing.T) {
		b.t = t
		attempt := sso.NewAttempt("/hosts", time.Now())
		person, err := s.Finish(t.Context(), attempt, b.signIn(s, attempt, "ann", "secret"))
		if err != nil {
			t.Fatal(err)
		}
		end := b.get(idp.LogoutURL)
		request, ok, err := s.ReadLogoutRequest(httptest.NewRequest(http.MethodGet, end.ours, nil))
		if err != nil || !ok || !request.Ends(person.LogoutToken) {
			t.Fatalf("sent to %q: ok %v, error %v\n%s", end.ours, ok, err, end.text)
		}
		answer, err := s.AnswerLogout(request)
		if err != nil {
			t.Fatal(err)
		}
		if back := b.get(answer.URL); back.ours != "" || strings.Contains(back.text, "xception") {
			t.Errorf("the provider did not like the answer:\n%s", back.text)
		}
	})
}
