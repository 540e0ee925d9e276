package auth

import (
	"cmp"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"trento/store"
	"trento/store/fault"
)

const (
	// defaultMessageUser is the user name of agents at the endpoint for
	// messages, unless another one is configured.
	defaultMessageUser = "trento"
	// messagePasswordSize is the size of generated passwords, in bytes. It
	// gives 32 characters, none of which an address has to escape.
	messagePasswordSize = 24
)

// ErrMessageCredentialConfigured: the credential for messages cannot be rotated,
// because the configuration sets it.
var ErrMessageCredentialConfigured = &fault.Error{
	Detail: "The credential for messages is set by AMQP_PASSWORD in the configuration of the server. Change it there.",
}

// MessageCredential is what agents sign in with at the endpoint for messages. It
// is not the API key: agents write it into their logs.
type MessageCredential struct {
	User     string
	Password string
	// CreatedAt is zero if the credential is configured.
	CreatedAt  time.Time
	Configured bool // the configuration sets the credential
	// Generation grows by one with each rotation. It is zero if the credential
	// is configured.
	Generation uint64
}

// Address returns the address of the message endpoint with the credential. This
// is the value of facts-service-url in the configuration of agents. The scheme is
// amqp or amqps. host is the name or IP address under which agents reach the
// server.
func (c MessageCredential) Address(scheme, host string, port int) string {
	u := url.URL{Scheme: scheme, User: url.UserPassword(c.User, c.Password), Host: net.JoinHostPort(host, strconv.Itoa(port)), Path: "/"}
	return u.String()
}

// messageCredentials configures, encrypts and checks the credential for
// messages.
type messageCredentials struct {
	user, password string      // as configured; "" if not
	sealer         cipher.AEAD // encrypts the stored password
	cachedHash     atomic.Pointer[hashedCredential]
}

// hashedCredential is the hash of a stored credential.
type hashedCredential struct {
	storedText string // the user and the encrypted password
	hash       [sha256.Size]byte
}

// messagePasswordLabel binds encrypted passwords to their purpose.
const messagePasswordLabel = "message credential"

// MessageCredential returns the present credential, with its password. It fails
// with store.ErrNotFound if EnsureMessageCredential was never called.
func (a *Auth) MessageCredential(tx *store.Tx) (MessageCredential, error) {
	c := &a.messages
	if c.password != "" {
		return MessageCredential{User: cmp.Or(c.user, defaultMessageUser), Password: c.password, Configured: true}, nil
	}
	stored, err := tx.MessageCredential()
	if err != nil {
		return MessageCredential{}, err
	}
	password, err := c.sealer.Open(nil, nil, stored.Password, []byte(messagePasswordLabel))
	if err != nil {
		return MessageCredential{}, fmt.Errorf("credential for messages: %w", err)
	}
	return MessageCredential{
		User: cmp.Or(c.user, stored.User), Password: string(password), CreatedAt: stored.CreatedAt, Generation: stored.Generation,
	}, nil
}

// EnsureMessageCredential makes sure at every start that there is a credential.
// If the stored one cannot be decrypted, because the key material was changed,
// it is rotated.
func (a *Auth) EnsureMessageCredential(ctx context.Context) error {
	var unreadable error
	err := a.store.View(func(tx *store.Tx) error {
		_, unreadable = a.MessageCredential(tx)
		_, err := tx.MessageCredential()
		return err
	})
	switch {
	case a.messages.password != "":
		return nil
	case errors.Is(err, store.ErrNotFound):
		return a.store.EnsureMessageCredential(ctx, a.newMessageCredential())
	case err != nil || unreadable == nil:
		return err
	}
	a.log.Warn("the password of agents for messages cannot be decrypted; a new one was made, which all agents need. Was SECRET_KEY_BASE changed?", "error", unreadable)
	_, err = a.store.RotateMessageCredential(ctx, store.System(), a.newMessageCredential())
	return err
}

// RotateMessageCredential replaces the password. Agents with the former one are
// refused from now on. It fails with ErrMessageCredentialConfigured if the
// credential is configured.
func (a *Auth) RotateMessageCredential(ctx context.Context, by *Identity) error {
	if a.messages.password != "" {
		return ErrMessageCredentialConfigured
	}
	_, err := a.store.RotateMessageCredential(ctx, by.Actor(), a.newMessageCredential())
	return err
}

// newMessageCredential generates a password.
func (a *Auth) newMessageCredential() store.NewMessageCredential {
	random := make([]byte, messagePasswordSize)
	rand.Read(random)
	password := base64.RawURLEncoding.EncodeToString(random)
	return store.NewMessageCredential{
		User:     cmp.Or(a.messages.user, defaultMessageUser),
		Password: a.messages.sealer.Seal(nil, nil, []byte(password), []byte(messagePasswordLabel)),
	}
}

// CheckMessageCredential reports whether a user name and password are the
// present credential for messages. The time it takes does not tell how much of
// them is right. Errors of the store are logged.
func (a *Auth) CheckMessageCredential(user, password string) bool {
	present, err := a.messageCredentialHash()
	if err != nil {
		a.log.Error("the credential for messages could not be checked", "error", err)
		return false
	}
	given := hashMessageCredential(user, password)
	return subtle.ConstantTimeCompare(given[:], present[:]) == 1
}

// messageCredentialHash returns the hash of the present credential. It is cached
// until another credential is stored.
func (a *Auth) messageCredentialHash() (hash [sha256.Size]byte, err error) {
	c := &a.messages
	err = a.store.View(func(tx *store.Tx) error {
		stamp := ""
		if c.password == "" {
			stored, err := tx.MessageCredential()
			if err != nil {
				return err
			}
			stamp = stored.User + "\x00" + string(stored.Password)
		}
		if cached := c.cachedHash.Load(); cached != nil && cached.storedText == stamp {
			hash = cached.hash
			return nil
		}
		present, err := a.MessageCredential(tx)
		if err != nil {
			return err
		}
		hash = hashMessageCredential(present.User, present.Password)
		c.cachedHash.Store(&hashedCredential{stamp, hash})
		return nil
	})
	return hash, err
}

// hashMessageCredential returns one hash for a user name and a password. It
// hashes the name first, so that no other pair has the same hash.
func hashMessageCredential(user, password string) [sha256.Size]byte {
	name := sha256.Sum256([]byte(user))
	return sha256.Sum256(append(name[:], password...))
}
