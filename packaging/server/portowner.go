package server

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// portOwner returns the name and id of the process that listens on a port, such
// as "nginx (process 812)". It returns "" if the process is unknown. Only root
// can see the processes of other users.
func portOwner(port int) string {
	var sockets []string
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		sockets = append(sockets, listeningSockets(table, port)...)
	}
	files, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, file := range files {
		target, err := os.Readlink(file)
		if err != nil || !slices.Contains(sockets, target) {
			continue
		}
		process := strings.Split(file, "/")[2]
		name, err := os.ReadFile("/proc/" + process + "/comm")
		if err != nil {
			return ""
		}
		return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), process)
	}
	return ""
}

// listeningSockets returns the sockets in a table of the kernel that listen on a
// port, as the open files of processes name them.
func listeningSockets(table string, port int) (sockets []string) {
	const (
		localAddress = 1 // hexadecimal address, colon, hexadecimal port
		state        = 3
		inode        = 9
		listening    = "0A"
	)
	f, err := os.Open(table)
	if err != nil {
		return nil
	}
	defer f.Close()
	suffix := ":" + strings.ToUpper(hex.EncodeToString([]byte{byte(port >> 8), byte(port)}))
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) <= inode || fields[state] != listening || !strings.HasSuffix(fields[localAddress], suffix) {
			continue
		}
		if _, err := strconv.ParseUint(fields[inode], 10, 64); err == nil {
			sockets = append(sockets, "socket:["+fields[inode]+"]")
		}
	}
	return sockets
}

// portError explains why a port cannot be opened. variable sets the port.
func portError(port int, variable, advice string, err error) error {
	who := "is something else listening there?"
	if owner := portOwner(port); owner != "" {
		who = "it belongs to " + owner + "."
	}
	return fmt.Errorf("port %d cannot be used; %s %s: %w", port, who, fmt.Sprintf(advice, variable), err)
}
