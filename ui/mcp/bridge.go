package mcp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Bridge serves one client over standard input and output, with the tools of a
// server on another machine.
type Bridge struct {
	// Server is the address of the server, such as https://trento.example.com.
	Server string
	// Token is a personal access token of that server.
	Token string
	// Roots are the certificates to trust; nil: those of the system.
	Roots *x509.CertPool
	// Writes offers tools that change something, too.
	Writes  bool
	Version string // of this program
	In      io.ReadCloser
	Out     io.WriteCloser
}

// answerTimeout is how long an answer of the server may take.
const answerTimeout = time.Minute

// maxMessageBytes is the largest message that the client may send.
const maxMessageBytes = 1 << 20

// Run serves the client until it closes the input, or until ctx is done. It fails
// if the address is not that of a server, or if the server refuses the token.
func (b Bridge) Run(ctx context.Context) error {
	base, err := b.baseURL()
	if err != nil {
		return err
	}
	client := b.client(base)
	if err := checkToken(ctx, client, base); err != nil {
		return err
	}
	tools, err := fetchTools(client, base, b.Writes)
	if err != nil {
		return err
	}
	if len(tools) == 0 {
		return fmt.Errorf("%s describes no operation with the tag %s", b.Server, toolTag)
	}
	err = newServer(tools, b.Version, client, base).Run(ctx, &mcp.IOTransport{Reader: b.In, Writer: b.Out, MaxLineLength: maxMessageBytes})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// baseURL returns the address of the server without a slash at its end, so that
// paths can be appended.
func (b Bridge) baseURL() (string, error) {
	address, err := url.Parse(b.Server)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return "", fmt.Errorf("%q is no address such as https://trento.example.com", b.Server)
	}
	if address.User != nil || address.RawQuery != "" || address.Fragment != "" {
		return "", errors.New("the address of the server must not contain a user, a query or a fragment")
	}
	return strings.TrimRight(address.String(), "/"), nil
}

// client returns an HTTP client that sends the token to the server and to no
// other one.
func (b Bridge) client(base string) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if b.Roots != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: b.Roots}
	}
	return &http.Client{
		Timeout:   answerTimeout,
		Transport: tokenTransport{transport, b.Token, "trento-web/" + b.Version},
		CheckRedirect: func(to *http.Request, via []*http.Request) error {
			if !strings.HasPrefix(to.URL.String(), base+"/") || len(via) > 3 {
				return errors.New("the server redirects to another address, to which the token is not sent")
			}
			return nil
		},
	}
}

// tokenTransport adds a token to each request.
type tokenTransport struct {
	next      http.RoundTripper
	token     string
	userAgent string
}

func (t tokenTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+t.token)
	r.Header.Set("User-Agent", t.userAgent)
	return t.next.RoundTrip(r)
}

// checkToken fails if the server does not accept the token. Otherwise the
// assistant would be offered tools that all fail. A token whose scopes do not
// include the profile is accepted.
func checkToken(ctx context.Context, client *http.Client, base string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/v1/profile", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusUnauthorized {
		return fmt.Errorf("%s does not accept the token: it is wrong, expired or deleted", base)
	}
	return nil
}
