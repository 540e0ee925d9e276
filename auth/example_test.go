package auth_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"time"

	"trento/auth"
	"trento/store"
)

// Identify finds out who sends a request and refuses nobody. Permit decides
// whether that user may use a route.
func Example() {
	dir, err := os.MkdirTemp("", "auth")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s, err := store.Open(dir, store.Options{NoSync: true})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	secret := func(letter string) []byte { return bytes.Repeat([]byte(letter), 48) }
	a, err := auth.New(auth.Options{
		Store: s, Secrets: auth.Secrets{Base: secret("b"), Access: secret("a"), Refresh: secret("r")}, SessionLifetime: 6 * time.Hour,
		HashCost: auth.HashCost{Iterations: 1, Memory: 64, Parallelism: 1}, // far too cheap for anything but an example
	})
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	const password = "a-lake-and-7-boats"
	hash, err := a.HashPassword(ctx, password)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.CreateUser(ctx, store.System(), store.NewUser{Username: "ann", Fullname: "Ann", Email: "ann@example.com", PasswordHash: hash, Enabled: true}); err != nil {
		log.Fatal(err)
	}
	proof, err := a.CheckPassword(ctx, auth.Credentials{Username: "ann", Password: password}, netip.MustParseAddr("192.0.2.1"))
	if err != nil {
		log.Fatal(err)
	}
	tokens, err := a.SignInAPI(httptest.NewRequest("POST", "/api/session", nil), proof)
	if err != nil {
		log.Fatal(err)
	}

	hosts := a.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("it is", auth.From(r.Context()).User.Username)
		fmt.Println("reading hosts:", a.Permit(r, auth.SignedIn, auth.InSets("read_only"), "GET /api/v1/hosts"))
		fmt.Println("managing users:", a.Permit(r, auth.Needs("all:users"), auth.InPerson(), "GET /api/v1/users"))
	}))
	request := httptest.NewRequest("GET", "/api/v1/hosts", nil)
	request.Header.Set("Authorization", "Bearer "+tokens.Access)
	hosts.ServeHTTP(httptest.NewRecorder(), request)

	// Output:
	// it is ann
	// reading hosts: <nil>
	// managing users: not permitted
}
