package ssotest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// OIDCProvider is the npm package oidc-provider, as a provider of OpenID Connect
// and of OAuth 2.0. Any password is right there.
type OIDCProvider struct {
	Issuer string
	// The clients, which have the same secret: one that sends it in the header, as
	// OpenID Connect does, and one that sends it in the body.
	OIDCClient, OAuth2Client, Secret string
}

// Callbacks are where the clients have browsers sent back to.
type Callbacks struct{ OIDC, OAuth2, SignedOut string }

//go:embed oidcprovider.mjs
var oidcProviderScript []byte

// StartOIDCProvider starts it for a test, on a free port of this machine. It skips
// the test where it is not installed, and fails it on machines that check every
// change.
func StartOIDCProvider(t *testing.T, back Callbacks, users ...User) *OIDCProvider {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		need(t, "node is not installed, which oidc-provider needs")
	}
	module := os.Getenv("OIDC_PROVIDER")
	if !exists(module) {
		need(t, "the variable OIDC_PROVIDER does not name lib/index.js of the npm package oidc-provider")
	}
	idp := &OIDCProvider{Issuer: "http://" + freeAddress(t), OIDCClient: "trento", OAuth2Client: "trento-oauth2", Secret: "a secret of a test"}
	type client struct {
		ID             string   `json:"client_id"`
		Secret         string   `json:"client_secret"`
		RedirectURIs   []string `json:"redirect_uris"`
		SignedOutURIs  []string `json:"post_logout_redirect_uris"`
		Authentication string   `json:"token_endpoint_auth_method"`
	}
	people := make(map[string]map[string]string)
	for _, u := range users {
		people[u.Username] = map[string]string{"preferred_username": u.Username, "name": u.FirstName + " " + u.LastName, "email": u.Email}
	}
	settings, err := json.Marshal(map[string]any{"issuer": idp.Issuer, "users": people, "clients": []client{
		{idp.OIDCClient, idp.Secret, []string{back.OIDC}, []string{back.SignedOut}, "client_secret_basic"},
		{idp.OAuth2Client, idp.Secret, []string{back.OAuth2}, []string{back.SignedOut}, "client_secret_post"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "provider.mjs", oidcProviderScript)
	cmd := exec.Command(node, filepath.Join(dir, "provider.mjs"))
	cmd.Env = append(os.Environ(), "OIDC_PROVIDER="+module, "SETTINGS="+string(settings))
	start(t, cmd, "oidc-provider", idp.Issuer+"/.well-known/openid-configuration")
	return idp
}

// start starts the process of a provider, which ends with the test, and waits
// until an address of it answers.
func start(t *testing.T, cmd *exec.Cmd, name, address string) {
	t.Helper()
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, log.String())
		}
	})
	waitFor(t, address, ended)
}
