package auth

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"

	"trento/store"
)

// SealCursor hides a place in the journal from the user who is handed it.
// Places count every change there is, also those the user may not see: from
// two of them one could tell how much happens elsewhere. Sealed twice, the
// same place looks different, so not even that something happened can be told.
func (a *Auth) SealCursor(u *store.User, place uint64) string {
	sealed := a.cursors.Seal(nil, nil, binary.BigEndian.AppendUint64(nil, place), cursorOwner(u))
	return base64.RawURLEncoding.EncodeToString(sealed)
}

// OpenCursor is the place in a cursor. It reports false where the cursor was
// not sealed for this user by a server with these secrets.
func (a *Auth) OpenCursor(u *store.User, cursor string) (place uint64, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0, false
	}
	text, err := a.cursors.Open(nil, nil, sealed, cursorOwner(u))
	if err != nil || len(text) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(text), true
}

func cursorOwner(u *store.User) []byte { return strconv.AppendInt(nil, u.ID, 10) }
