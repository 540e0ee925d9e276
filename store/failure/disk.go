package failure

import (
	"errors"
	"strings"
	"syscall"
)

// diskCauses are the causes for which a disk refuses to write.
var diskCauses = []struct {
	errno syscall.Errno
	cause Cause
}{
	{syscall.ENOSPC, Cause{"The disk of the data directory is full.", "Free space on that disk, or enlarge it."}},
	{syscall.EDQUOT, Cause{"The disk quota of the server's user is used up.", "Raise the quota."}},
	{syscall.EROFS, Cause{"The file system of the data directory is read-only.", "Find out why (dmesg), repair it, and mount it for writing."}},
	{syscall.EFBIG, Cause{"The data file may not grow any further.", "Raise LimitFSIZE= of the service, or the limit of the file system."}},
	{syscall.EIO, Cause{"The disk of the data directory reports errors.", "Look for errors of the disk (dmesg, smartctl), and replace it."}},
	{syscall.EACCES, Cause{"The server may not write into the data directory.", "Make the user of the service its owner."}},
}

// DiskCause returns why a file could not be written. The cause is empty if it is
// not known.
func DiskCause(err error) Cause {
	for _, known := range diskCauses {
		// bbolt reports some errors only as text.
		if errors.Is(err, known.errno) || err != nil && strings.Contains(err.Error(), known.errno.Error()) {
			return known.cause
		}
	}
	return Cause{}
}

// IsOfDisk reports whether an error is one of a disk that refuses to write.
func IsOfDisk(err error) bool { return DiskCause(err) != Cause{} }
