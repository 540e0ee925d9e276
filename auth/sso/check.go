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
	findings []Finding
	client   *http.Client
	now      func() time.Time
	hosts    []string // hosts whose clock and certificate were checked
}

func (f *checker) addSuccess(format string, values ...any) {
	f.findings = append(f.findings, Finding{Good: true, Text: fmt.Sprintf(format, values...)})
}

func (f *checker) addProblem(cure, format string, values ...any) {
	f.findings = append(f.findings, Finding{Text: fmt.Sprintf(format, values...), Cure: cure})
}

// certificateWarningTime is how long before its expiry a certificate is warned of.
const certificateWarningTime = 30 * 24 * time.Hour

// send sends a request, and checks the clock and the certificate of each host
// once. If no answer comes, ok is false, and a finding tells the person to
// check variable.
func (f *checker) send(request *http.Request, variable string) (status int, body []byte, ok bool) {
	answer, err := f.client.Do(request)
	if err != nil {
		f.addProblem(fmt.Sprintf("Compare %s with what the provider documents. Can this machine reach it (name, firewall, proxy), and does it trust its certificate (SSL_CERT_FILE names more authorities)?", variable),
			"%s cannot be reached: %v", request.URL.Redacted(), err)
		return 0, nil, false
	}
	defer answer.Body.Close()
	if body, err = io.ReadAll(answer.Body); err != nil {
		f.addProblem("Ask those who run the provider.", "the answer of %s cannot be read: %v", request.URL.Redacted(), err)
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
		f.addProblem("Let both machines keep time by NTP (chronyd).", "the clock of this machine and that of %s differ by %s; %s is allowed", answer.Request.URL.Host, difference.Abs(), clockTolerance)
		return
	}
	f.addSuccess("the clocks of this machine and %s agree", answer.Request.URL.Host)
}

func (f *checker) checkCertificate(answer *http.Response) {
	host := answer.Request.URL.Host
	if answer.TLS == nil || len(answer.TLS.PeerCertificates) == 0 {
		f.addProblem("Use the https address of the provider: what is not encrypted can be read and changed on its way.", "%s is asked without encryption", host)
		return
	}
	if end := answer.TLS.PeerCertificates[0].NotAfter; end.Sub(f.now()) < certificateWarningTime {
		f.addProblem("Have the certificate of the provider renewed.", "the certificate of %s ends on %s", host, end.UTC().Format(time.DateOnly))
		return
	}
	f.addSuccess("the certificate of %s is trusted until %s", host, answer.TLS.PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly))
}

// Check checks everything about the provider that can be checked without a person
// who signs in.
func (p *OIDC) Check(ctx context.Context) []Finding {
	f := &checker{client: p.client, now: p.options.Now}
	address := p.configurationAddress()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		f.addProblem("Correct OIDC_BASE_URL.", "%s is no address: %v", address, err)
		return f.findings
	}
	status, body, ok := f.send(request, "OIDC_BASE_URL")
	switch {
	case !ok:
		return f.findings
	case status != http.StatusOK:
		f.addProblem("OIDC_BASE_URL is the issuer: what stands before /.well-known/openid-configuration in the documentation of the provider.", "%s answers with status %d", address, status)
		return f.findings
	}
	found, err := p.readConfiguration(body)
	if err != nil {
		failure, _ := errors.AsType[*Failure](err)
		f.addProblem("Set OIDC_BASE_URL to exactly what the provider calls its issuer.", "%s: %v", strings.ToLower(failure.Reason[:1])+failure.Reason[1:], failure.Err)
		return f.findings
	}
	f.addSuccess("%s is the configuration of %s", address, found.IssuerURL)
	f.checkKeys(ctx, found.JWKSURL)
	f.checkClient(ctx, &found.config, "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")
	if found.EndSessionURL != "" {
		f.addSuccess("signing out ends the sign-in at the provider, too; allow %s as an address to come back to", p.options.Origin+"/session/new")
	} else {
		f.addSuccess("the provider offers no sign-out: whoever signs out of the console stays signed in there")
	}
	return f.findings
}

// checkKeys checks that the provider publishes keys to verify ID tokens with.
func (f *checker) checkKeys(ctx context.Context, address string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return // check has parsed this address already
	}
	status, body, ok := f.send(request, "OIDC_BASE_URL")
	if !ok {
		return
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || status != http.StatusOK || len(set.Keys) == 0 {
		f.addProblem("Ask those who run the provider: without keys no ID token can be verified.", "%s has no keys (status %d)", address, status)
		return
	}
	f.addSuccess("%s has %d key(s) to verify ID tokens with", address, len(set.Keys))
}

// checkClient sends an invented code to the token endpoint. The error in the
// answer tells whether the endpoint knows the client and its secret.
func (f *checker) checkClient(ctx context.Context, config *oauth2.Config, idVariable, secretVariable string) {
	f.addSuccess("register %s with the provider as the address to come back to", config.RedirectURL)
	ctx = context.WithValue(ctx, oauth2.HTTPClient, f.client)
	_, err := config.Exchange(ctx, rand.Text(), oauth2.VerifierOption(oauth2.GenerateVerifier()))
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case err == nil:
		f.addProblem("Is this the token address of an identity provider? No sign-in can be trusted that comes from it.", "%s gives a token for a code that was made up", config.Endpoint.TokenURL)
	case !ok:
		f.addProblem("Compare the token address with what the provider documents.", "%s cannot be used: %v", config.Endpoint.TokenURL, err)
	case answer.ErrorCode == "invalid_grant":
		f.addSuccess("%s knows the client %s and its secret", config.Endpoint.TokenURL, config.ClientID)
	case isClientRefusal(answer):
		f.addProblem(fmt.Sprintf("Compare %s and %s with those at the provider, and whether the client may use the authorization code flow.", idVariable, secretVariable),
			"%s refuses the client %s or its secret (%s)", config.Endpoint.TokenURL, config.ClientID, answer.ErrorCode)
	case strings.Contains(answer.ErrorCode, "code"):
		// Some providers have a word of their own for an unknown code, such as
		// invalid_code.
		f.addSuccess("%s has nothing against the client %s and its secret (it answers a made-up code with %s)", config.Endpoint.TokenURL, config.ClientID, answer.ErrorCode)
	default:
		f.addProblem("Compare the client at the provider with docs/sso.md: the address to come back to, the flow, the kind of client.",
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
		f.addProblem("Correct OAUTH2_USER_URL.", "%s is no address: %v", p.userURL, err)
		return f.findings
	}
	request.Header.Set("Accept", "application/json")
	switch status, _, ok := f.send(request, "OAUTH2_USER_URL"); {
	case !ok:
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusBadRequest:
		f.addSuccess("%s wants a token, as it should (status %d)", p.userURL, status)
	case status == http.StatusOK:
		f.addProblem("OAUTH2_USER_URL must say who has signed in, and only to whoever has a token.", "%s answers without a token", p.userURL)
	default:
		f.addProblem("Compare OAUTH2_USER_URL with what the provider documents.", "%s answers with status %d", p.userURL, status)
	}
	return f.findings
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
		f.addProblem("Compare OAUTH2_AUTHORIZE_URL, OAUTH2_CLIENT_ID, OAUTH2_SCOPES and the address to come back to with those at the provider.", "%s, where people sign in, answers with status %d", shown, status)
	default:
		f.addSuccess("%s, where people sign in, is there", shown)
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
			f.addProblem("Correct SAML_METADATA_URL.", "%s is no address: %v", o.MetadataURL, err)
			return f.findings
		}
		status, body, ok := f.send(request, "SAML_METADATA_URL")
		switch {
		case !ok:
			return f.findings
		case status != http.StatusOK:
			f.addProblem("Compare SAML_METADATA_URL with what the provider documents.", "%s answers with status %d", o.MetadataURL, status)
			return f.findings
		}
		document = body
	}
	idp, err := readMetadata(document)
	if err != nil {
		f.addProblem("SAML_METADATA_URL or SAML_METADATA_CONTENT has to be the metadata of the identity provider, an EntityDescriptor with an IDPSSODescriptor.", "%v", err)
		return f.findings
	}
	f.addSuccess("the metadata is that of %s", idp.EntityID)
	for _, certificate := range idp.certificates {
		switch left := certificate.NotAfter.Sub(f.now()); {
		case left < 0:
			f.addProblem("It is accepted all the same. Have the provider's certificate and metadata renewed.", "the certificate %s, which the provider signs with, has ended on %s", certificate.Subject, certificate.NotAfter.UTC().Format(time.DateOnly))
		case left < certificateWarningTime:
			f.addProblem("When the provider changes it, its metadata must have the new one; with SAML_METADATA_URL it is read every hour.", "the certificate %s, which the provider signs with, ends on %s", certificate.Subject, certificate.NotAfter.UTC().Format(time.DateOnly))
		default:
			f.addSuccess("the provider signs with the certificate %s, until %s", certificate.Subject, certificate.NotAfter.UTC().Format(time.DateOnly))
		}
	}
	f.addSuccess("register %s with the provider; it has all addresses and the certificate of this server", o.Origin+samlMetadataPath+url.PathEscape(o.IdentityProviderID))
	f.addSuccess("have the provider send the attributes %s, %s, %s and %s", o.UsernameAttribute, o.EmailAttribute, o.FirstNameAttribute, o.LastNameAttribute)
	return f.findings
}
