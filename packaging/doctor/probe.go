package doctor

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"trento/packaging/config"
)

// serviceDataDir and serviceUser are those of the packaged service.
const (
	serviceDataDir = "/var/lib/trento"
	serviceUser    = "trento"
)

// ProbeFiles looks at the data directory, and at the files that have to be
// hidden from others. It returns nil if there is no data directory.
func ProbeFiles(c config.Config) []File {
	dir, ok := probeFile(c.DataDir, 0o700, false)
	if !ok {
		return nil
	}
	owner := dir.Owner
	if _, err := user.Lookup(serviceUser); c.DataDir == serviceDataDir && err == nil {
		dir.Expected = serviceUser
	}
	files := []File{dir}
	inside := []struct {
		name   string
		secret bool
	}{
		{"trento.db", true}, {"secrets", true}, {"initial-admin-password", true}, {"commands.sock", true}, {"index", false}, {"tls", false}, {"tls/self-signed.pem", true},
	}
	for _, f := range inside {
		allowed := uint32(0o600)
		if f.name == "index" || f.name == "tls" {
			allowed = 0o700
		}
		if found, ok := probeFile(filepath.Join(c.DataDir, f.name), allowed, f.secret); ok {
			found.Expected = owner
			files = append(files, found)
		}
	}
	if c.TLSKeyFile != "" {
		if found, ok := probeFile(c.TLSKeyFile, 0o640, true); ok {
			files = append(files, found)
		}
	}
	return files
}

// probeFile looks at one file. ok is false if it is not there.
func probeFile(path string, allowed uint32, secret bool) (f File, ok bool) {
	f = File{Path: path, Allowed: allowed, Secret: secret}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, false
	case err != nil:
		f.Problem = reasonOf(err)
		return f, true
	}
	f.Mode = uint32(info.Mode().Perm())
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		f.Owner = userName(stat.Uid)
	}
	return f, true
}

// reasonOf returns an error of the file system without the path, which the
// sentence around it names.
func reasonOf(err error) string {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		return inner.Err.Error()
	}
	return err.Error()
}

func userName(id uint32) string {
	number := strconv.FormatUint(uint64(id), 10)
	if u, err := user.LookupId(number); err == nil {
		return u.Username
	}
	return number
}

// readOnlyMount is the flag of a file system that is mounted read-only.
const readOnlyMount = 1

// ProbeDisk looks at the file system of a directory. It returns nil if the
// directory is not there.
func ProbeDisk(dir string, storeSize int64) *Disk {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return nil
	}
	unit := int64(stat.Bsize)
	d := &Disk{
		Dir: dir, Free: int64(stat.Bavail) * unit, Size: int64(stat.Blocks) * unit, FreeFiles: -1, Store: storeSize, ReadOnly: stat.Flags&readOnlyMount != 0,
	}
	if stat.Files > 0 { // some file systems have no limit
		d.FreeFiles = int64(stat.Ffree)
	}
	return d
}

// SameDisk reports whether two paths are on the same file system.
func SameDisk(a, b string) bool {
	first, err := os.Stat(a)
	second, otherErr := os.Stat(b)
	if err != nil || otherErr != nil {
		return false
	}
	x, ok := first.Sys().(*syscall.Stat_t)
	y, otherOK := second.Sys().(*syscall.Stat_t)
	return ok && otherOK && x.Dev == y.Dev
}

// SpaceTrend watches how fast a disk fills. The zero value is ready for use by
// several goroutines.
type SpaceTrend struct {
	mutex   sync.Mutex
	samples []spaceSample // the oldest first
}

type spaceSample struct {
	at   time.Time
	free int64
}

// Of a trend, at most a week counts, and less than a day says nothing.
const (
	longestTrend  = 7 * 24 * time.Hour
	shortestTrend = 24 * time.Hour
)

// Add notes how much space is free.
func (t *SpaceTrend) Add(at time.Time, free int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if n := len(t.samples); n > 0 && at.Before(t.samples[n-1].at) { // the clock was set back
		t.samples = nil
	}
	t.samples = append(t.samples, spaceSample{at, free})
	for at.Sub(t.samples[0].at) > longestTrend {
		t.samples = t.samples[1:]
	}
}

// FullIn returns how long it takes until the disk is full at the present rate; 0
// if the rate is not known yet or the disk does not fill.
func (t *SpaceTrend) FullIn() time.Duration {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if len(t.samples) < 2 {
		return 0
	}
	first, last := t.samples[0], t.samples[len(t.samples)-1]
	passed, used := last.at.Sub(first.at), first.free-last.free
	if passed < shortestTrend || used <= 0 {
		return 0
	}
	const forever = 10 * 365 * 24 * time.Hour
	return time.Duration(min(float64(passed)*float64(last.free)/float64(used), float64(forever)))
}

// clockUnsynchronized is the state of a clock that nothing keeps right
// (adjtimex(2)).
const clockUnsynchronized = 5

// ProbeClock asks the kernel whether the clock is kept right. The service may
// not ask: its unit denies the system call.
func ProbeClock() *Clock {
	var t syscall.Timex
	state, err := syscall.Adjtimex(&t)
	if err != nil {
		return &Clock{Problem: "the service may not ask the kernel; trento-web doctor can, as root"}
	}
	return &Clock{Synchronized: state != clockUnsynchronized}
}

type wantedPort struct {
	variable string
	number   int
	address  netip.Addr // the zero value means all
}

// ProbePorts tries to open the ports of a server that is stopped.
func ProbePorts(c config.Config) []Port {
	wanted := []wantedPort{{"PORT", c.Port, c.Listen}}
	if c.HTTPRedirectPort != nil {
		wanted = append(wanted, wantedPort{"HTTP_REDIRECT_PORT", *c.HTTPRedirectPort, c.Listen})
	}
	plain, withTLS := c.MessagePorts()
	if plain {
		wanted = append(wanted, wantedPort{"AMQP_PORT", c.AMQPPort, c.AMQPListen})
	}
	if withTLS {
		wanted = append(wanted, wantedPort{"AMQPS_PORT", c.AMQPSPort, c.AMQPListen})
	}
	ports := []Port{}
	for _, w := range wanted {
		p := Port{Variable: w.variable, Number: w.number}
		address := ""
		if w.address.IsValid() {
			address = w.address.String()
		}
		l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(w.number)))
		switch {
		case err == nil:
			l.Close()
		case errors.Is(err, syscall.EADDRINUSE):
			p.InUse = true
		case errors.Is(err, syscall.EACCES):
			p.Privileged = true
		default:
			p.Problem = err.Error()
		}
		ports = append(ports, p)
	}
	return ports
}

// lookupTimeout is how long the name service may take.
const lookupTimeout = 3 * time.Second

// ProbeHostName looks the name of the server up. host is the name without a
// port, and needs the feature that needs one.
func ProbeHostName(ctx context.Context, host, needs string) *HostName {
	h := &HostName{Name: host, Needs: needs}
	if _, err := netip.ParseAddr(host); host == "" || err == nil {
		return h
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	h.Tried = true
	if _, err := net.DefaultResolver.LookupHost(ctx, host); err != nil {
		h.Fault = "its address cannot be found"
		if failure, ok := errors.AsType[*net.DNSError](err); ok {
			h.Fault = failure.Err
		}
	}
	return h
}
