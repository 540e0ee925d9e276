package auth

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"

	"trento/store"
)

// SealCursor encrypts a position in the journal for the browser of a user.
// Positions count all changes, including those that the user may not see, so
// two readable positions would tell how much has changed. The same position
// gives a different text each time, so a browser cannot tell whether anything
// has happened.
func (a *Auth) SealCursor(u *store.User, place uint64) string {
	sealed := a.cursorSealer.Seal(nil, nil, binary.BigEndian.AppendUint64(nil, place), cursorOwner(u))
	return base64.RawURLEncoding.EncodeToString(sealed)
}

// OpenCursor returns the position in a cursor. ok is false if the cursor was
// not sealed for this user with these secrets.
func (a *Auth) OpenCursor(u *store.User, cursor string) (place uint64, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0, false
	}
	text, err := a.cursorSealer.Open(nil, nil, sealed, cursorOwner(u))
	if err != nil || len(text) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(text), true
}

func cursorOwner(u *store.User) []byte { return strconv.AppendInt(nil, u.ID, 10) }
