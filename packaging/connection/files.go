package connection

import (
	"math"
	"syscall"
)

// reservedFiles is the number of open files reserved for the store, the index
// and the log.
const reservedFiles = 200

// Affordable returns the number of connections that the limit on open files
// allows. The Go runtime raises that limit at its start as far as the system
// allows.
func Affordable() int {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return math.MaxInt
	}
	return int(max(min(files.Cur, math.MaxInt32), 2*reservedFiles)) - reservedFiles
}
