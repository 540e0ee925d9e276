package connection

import (
	"math"
	"syscall"
)

// ownFiles is how many files are left for the store, the index and the log.
const ownFiles = 200

// Affordable is how many connections the limit on open files leaves room for.
// Go has raised the limit as far as the system allows.
func Affordable() int {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return math.MaxInt
	}
	return int(max(min(files.Cur, math.MaxInt32), 2*ownFiles)) - ownFiles
}
