package sso

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Finding is the result of one step of checking the configuration against the
// identity provider.
type Finding struct {
	Good bool   // the step has succeeded
	Text string // what was found
	Cure string // what to change; "" if nothing has to be changed
}

// checker checks a configuration and collects the findings in order.
type checker struct {
	list   []Finding
	client *http.Client
	now    func() time.Time
	hosts  []string // hosts whose clock and certificate were checked
}

func (f *checker) good(format string, values ...any) {
	f.list = append(f.list, Finding{Good: true, Text: fmt.Sprintf(format, values...)})
}

func (f *checker) bad(cure, format string, values ...any) {
	f.list = append(f.list, Finding{Text: fmt.Sprintf(format, values...), Cure: cure})
}

// certificateWarning is how long before its expiry a certificate is warned of.
const certificateWarning = 30 * 24 * time.Hour

// send sends a request, and checks the clock and the certificate of each host
// once. ok is false if no answer comes; the finding about that names variable.
func (f *checker) send(request *http.Request, variable string) (status int, body []byte, ok bool) {
	answer, err := f.client.Do(request)
	if err != nil {
		f.bad(fmt.Sprintf("Compare %s with what the provider documents. Can this machine reach it (name, firewall, proxy), and does it trust its certificate (SSL_CERT_FILE names more authorities)?", variable),
			"%s cannot be reached: %v", request.URL.Redacted(), err)
		return 0, nil, false
	}
	defer answer.Body.Close()
	if body, err = io.ReadAll(answer.Body); err != nil {
		f.bad("Ask those who run the provider.", "the answer of %s cannot be read: %v", request.URL.Redacted(), err)
		return 0, nil, false
	}
	if !slices.Contains(f.hosts, request.URL.Host) {
		f.hosts = append(f.hosts, request.URL.Host)
		f.checkClock(answer)
		f.checkCertificate(answer)
	}
	return answer.StatusCode, body, true
}

func (f *checker) checkClock(answer *http.Response) {
	theirs, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return
	}
	difference := f.now().Sub(theirs).Round(time.Second)
	if difference.Abs() > clockTolerance {
		f.bad("Let both machines keep time by NTP (chronyd).", "the clock of this machine and that of %s differ by %s; %s is allowed", answer.Request.URL.Host, difference.Abs(), clockTolerance)
		return
	}
	f.good("the clocks of this machine and %s agree", answer.Request.URL.Host)
}

func (f *checker) checkCertificate(answer *http.Response) {
	host := answer.Request.URL.Host
	if answer.TLS == nil || len(answer.TLS.PeerCertificates) == 0 {
		f.bad("Use the https address of the provider: what is not encrypted can be read and changed on its way.", "%s is asked without encryption", host)
		return
	}
	if end := answer.TLS.PeerCertificates[0].NotAfter; end.Sub(f.now()) < certificateWarning {
		f.bad("Have the certificate of the provider renewed.", "the certificate of %s ends on %s", host, end.UTC().Format(time.DateOnly))
		return
	}
	f.good("the certificate of %s is trusted until %s", host, answer.TLS.PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly))
}

// Check checks everything about the provider that can be checked without a person
// who signs in.
func (p *OIDC) Check(ctx context.Context) []Finding {
	f := &checker{client: p.client, now: p.options.Now}
	address := p.configurationAddress()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		f.bad("Correct OIDC_BASE_URL.", "%s is no address: %v", address, err)
		return f.list
	}
	status, body, ok := f.send(request, "OIDC_BASE_URL")
	switch {
	case !ok:
		return f.list
	case status != http.StatusOK:
		f.bad("OIDC_BASE_URL is the issuer: what stands before /.well-known/openid-configuration in the documentation of the provider.", "%s answers with status %d", address, status)
		return f.list
	}
	found, err := p.readConfiguration(body)
	if err != nil {
		failure, _ := errors.AsType[*Failure](err)
		f.bad("Set OIDC_BASE_URL to exactly what the provider calls its issuer.", "%s: %v", strings.ToLower(failure.Reason[:1])+failure.Reason[1:], failure.Err)
		return f.list
	}
	f.good("%s is the configuration of %s", address, found.IssuerURL)
	f.checkKeys(ctx, found.JWKSURL)
	f.checkClient(ctx, &found.config, "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")
	if found.EndSessionURL != "" {
		f.good("signing out ends the sign-in at the provider, too; allow %s as an address to come back to", p.options.Origin+"/session/new")
	} else {
		f.good("the provider offers no sign-out: whoever signs out of the console stays signed in there")
	}
	return f.list
}

// checkKeys checks that the provider publishes keys to verify ID tokens with.
func (f *checker) checkKeys(ctx context.Context, address string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return // discovered.check has parsed this address already
	}
	status, body, ok := f.send(request, "OIDC_BASE_URL")
	if !ok {
		return
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || status != http.StatusOK || len(set.Keys) == 0 {
		f.bad("Ask those who run the provider: without keys no ID token can be verified.", "%s has no keys (status %d)", address, status)
		return
	}
	f.good("%s has %d key(s) to verify ID tokens with", address, len(set.Keys))
}

// checkClient sends an invented code to the token endpoint. The error in the
// answer tells whether the endpoint knows the client and its secret.
func (f *checker) checkClient(ctx context.Context, config *oauth2.Config, idVariable, secretVariable string) {
	f.good("register %s with the provider as the address to come back to", config.RedirectURL)
	ctx = context.WithValue(ctx, oauth2.HTTPClient, f.client)
	_, err := config.Exchange(ctx, rand.Text(), oauth2.VerifierOption(oauth2.GenerateVerifier()))
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case err == nil:
		f.bad("Is this the token address of an identity provider? No sign-in can be trusted that comes from it.", "%s gives a token for a code that was made up", config.Endpoint.TokenURL)
	case !ok:
		f.bad("Compare the token address with what the provider documents.", "%s cannot be used: %v", config.Endpoint.TokenURL, err)
	case answer.ErrorCode == "invalid_grant":
		f.good("%s knows the client %s and its secret", config.Endpoint.TokenURL, config.ClientID)
	case answer.ErrorCode == "invalid_client" || answer.ErrorCode == "unauthorized_client" || answer.Response.StatusCode == http.StatusUnauthorized:
		f.bad(fmt.Sprintf("Compare %s and %s with those at the provider, and whether the client may use the authorization code flow.", idVariable, secretVariable),
			"%s refuses the client %s or its secret (%s)", config.Endpoint.TokenURL, config.ClientID, answer.ErrorCode)
	default:
		f.bad("Compare the client at the provider with docs/sso.md: the address to come back to, the flow, the kind of client.",
			"%s answers a made-up code with %s %s instead of invalid_grant", config.Endpoint.TokenURL, answer.Response.Status, answer.ErrorCode)
	}
}

// Check checks everything about the provider that can be checked without a person
// who signs in.
func (p *OAuth2) Check(ctx context.Context) []Finding {
	f := &checker{client: p.client, now: p.health.now}
	attempt := &Attempt{State: rand.Text()}
	if departure, err := p.Begin(ctx, attempt); err == nil {
		f.checkPage(ctx, departure.URL)
	}
	f.checkClient(ctx, &p.config, "OAUTH2_CLIENT_ID", "OAUTH2_CLIENT_SECRET")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.userURL, nil)
	if err != nil {
		f.bad("Correct OAUTH2_USER_URL.", "%s is no address: %v", p.userURL, err)
		return f.list
	}
	request.Header.Set("Accept", "application/json")
	switch status, _, ok := f.send(request, "OAUTH2_USER_URL"); {
	case !ok:
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusBadRequest:
		f.good("%s wants a token, as it should (status %d)", p.userURL, status)
	case status == http.StatusOK:
		f.bad("OAUTH2_USER_URL must say who has signed in, and only to whoever has a token.", "%s answers without a token", p.userURL)
	default:
		f.bad("Compare OAUTH2_USER_URL with what the provider documents.", "%s answers with status %d", p.userURL, status)
	}
	return f.list
}

// checkPage checks that the page exists on which people sign in at the
// provider.
func (f *checker) checkPage(ctx context.Context, address string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return
	}
	shown := &url.URL{Scheme: request.URL.Scheme, Host: request.URL.Host, Path: request.URL.Path}
	switch status, _, ok := f.send(request, "OAUTH2_AUTHORIZE_URL"); {
	case !ok:
	case status >= http.StatusBadRequest:
		f.bad("Compare OAUTH2_AUTHORIZE_URL, OAUTH2_CLIENT_ID, OAUTH2_SCOPES and the address to come back to with those at the provider.", "%s, where people sign in, answers with status %d", shown, status)
	default:
		f.good("%s, where people sign in, is there", shown)
	}
}

// CheckSAML checks everything about the provider that can be checked without a
// person who signs in. It needs no key.
func CheckSAML(ctx context.Context, o SAMLOptions) []Finding {
	f := &checker{client: newClient(), now: o.Now}
	document := o.Metadata
	if o.MetadataURL != "" {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.MetadataURL, nil)
		if err != nil {
			f.bad("Correct SAML_METADATA_URL.", "%s is no address: %v", o.MetadataURL, err)
			return f.list
		}
		status, body, ok := f.send(request, "SAML_METADATA_URL")
		switch {
		case !ok:
			return f.list
		case status != http.StatusOK:
			f.bad("Compare SAML_METADATA_URL with what the provider documents.", "%s answers with status %d", o.MetadataURL, status)
			return f.list
		}
		document = body
	}
	idp, err := readMetadata(document)
	if err != nil {
		f.bad("SAML_METADATA_URL or SAML_METADATA_CONTENT has to be the metadata of the identity provider, an EntityDescriptor with an IDPSSODescriptor.", "%v", err)
		return f.list
	}
	f.good("the metadata is that of %s", idp.EntityID)
	for _, certificate := range idp.certificates {
		switch left := certificate.NotAfter.Sub(f.now()); {
		case left < 0:
			f.bad("It is accepted all the same. Have the provider's certificate and metadata renewed.", "the certificate %s, which the provider signs with, has ended on %s", certificate.Subject, certificate.NotAfter.UTC().Format(time.DateOnly))
		case left < certificateWarning:
			f.bad("When the provider changes it, its metadata must have the new one; with SAML_METADATA_URL it is read every hour.", "the certificate %s, which the provider signs with, ends on %s", certificate.Subject, certificate.NotAfter.UTC().Format(time.DateOnly))
		default:
			f.good("the provider signs with the certificate %s, until %s", certificate.Subject, certificate.NotAfter.UTC().Format(time.DateOnly))
		}
	}
	f.good("register %s with the provider; it has all addresses and the certificate of this server", o.Origin+samlMetadataPath+url.PathEscape(o.IdentityProviderID))
	f.good("have the provider send the attributes %s, %s, %s and %s", o.UsernameAttribute, o.EmailAttribute, o.FirstNameAttribute, o.LastNameAttribute)
	return f.list
}
