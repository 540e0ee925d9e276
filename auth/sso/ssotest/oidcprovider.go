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

// OIDCProvider is a running identity provider for OpenID Connect and OAuth 2.0,
// made with the npm package oidc-provider. It accepts any password.
type OIDCProvider struct {
	Issuer string
	// The ids of two clients with the same secret. OIDCClient sends it in the
	// header, OAuth2Client in the body.
	OIDCClient, OAuth2Client, Secret string
}

// Callbacks are the addresses that the provider sends browsers back to: after a
// sign-in of each client, and after signing out.
type Callbacks struct{ OIDC, OAuth2, SignedOut string }

//go:embed oidcprovider.mjs
var oidcProviderScript []byte

// StartOIDCProvider starts the provider for a test, on a free port of this
// machine. If the npm package is not installed, it skips the test, or fails it
// in CI.
func StartOIDCProvider(t *testing.T, back Callbacks, users ...User) *OIDCProvider {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		skipOrFail(t, "node is not installed, which oidc-provider needs")
	}
	module := os.Getenv("OIDC_PROVIDER")
	if !fileExists(module) {
		skipOrFail(t, "the variable OIDC_PROVIDER does not name lib/index.js of the npm package oidc-provider")
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
	writeFile(t, dir, "provider.mjs", oidcProviderScript)
	cmd := exec.Command(node, filepath.Join(dir, "provider.mjs"))
	cmd.Env = append(os.Environ(), "OIDC_PROVIDER="+module, "SETTINGS="+string(settings))
	startProcess(t, cmd, "oidc-provider", idp.Issuer+"/.well-known/openid-configuration")
	return idp
}

// startProcess starts the process of a provider and waits until the address answers.
// The process ends with the test.
func startProcess(t *testing.T, cmd *exec.Cmd, name, address string) {
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
	waitUntilReady(t, address, ended)
}
