// Package servertest runs the program as a process, so that tests can start,
// signal and kill it, and send requests to its API. The process is the test
// binary itself, see Main.
package servertest

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// runAsProgramVariable is the environment variable that makes the test binary run as
// the program.
const runAsProgramVariable = "RUN_TEST_AS_TRENTO_WEB"

// Main must be called in TestMain of a package that starts the program. In a
// process started by this package, it calls run, which is the program and
// returns the exit status. Otherwise it runs the tests.
func Main(m *testing.M, run func() int) {
	if os.Getenv(runAsProgramVariable) != "" {
		os.Exit(run())
	}
	status := m.Run()
	if buildDir != "" {
		os.RemoveAll(buildDir)
	}
	os.Exit(status)
}

// buildDir is the directory of the built program; "" if no test needed it.
var buildDir string

// build builds the program once for all tests of the package.
var build = sync.OnceValues(func() (program string, err error) {
	if buildDir, err = os.MkdirTemp("", "trento-web"); err != nil {
		return "", err
	}
	program = filepath.Join(buildDir, "trento-web")
	compile := exec.Command("go", "build", "-o", program, "trento")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0") // as packaging/build does
	if out, err := compile.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return program, nil
})

// AdminPassword is the value of ADMIN_PASSWORD in the started programs.
const AdminPassword = "correct-horse-8"

// Program is a running trento-web.
type Program struct {
	URL    string        // address of the console
	Lines  <-chan string // the output after the URL
	Stderr *bytes.Buffer // the log; read it only after the program has ended
	Took   time.Duration // time from the start until the URL was printed
	HTTP   *http.Client  // sends the requests of the clients that are made afterwards

	t   *testing.T
	cmd *exec.Cmd
}

// Command returns the command that runs the program with arguments, a data
// directory and settings. It is not started.
func Command(t *testing.T, dir string, args []string, environ ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append([]string{
		runAsProgramVariable + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		"PORT=0", "AMQP_PORT=0", "AMQPS_PORT=0", "TRENTO_DATA_DIR=" + dir, "ADMIN_PASSWORD=" + AdminPassword,
		// The race detector lets a program that ends wait for a second, so that
		// other goroutines may still race. Hundreds of programs end in the tests.
		"GORACE=atexit_sleep_ms=20",
	}, environ...)
	if testing.CoverMode() != "" { // otherwise the program prints a warning where the caller reads
		cmd.Env = append(cmd.Env, "GOCOVERDIR="+t.TempDir())
	}
	return cmd
}

// Start starts the program and waits until it has printed its URL.
func Start(t *testing.T, dir string, args []string, environ ...string) *Program {
	t.Helper()
	return StartCommand(t, Command(t, dir, args, environ...))
}

// StartBuilt starts a program built without the race detector, as it is
// installed. With the detector, the memory of a process cannot be measured.
func StartBuilt(t *testing.T, environ ...string) *Program {
	t.Helper()
	built, err := build()
	if err != nil {
		t.Fatal(err)
	}
	cmd := Command(t, t.TempDir(), nil, environ...)
	cmd.Path, cmd.Args = built, []string{built}
	return StartCommand(t, cmd)
}

var announcedURLPattern = regexp.MustCompile(`Console\s+(https?://\S+)`)

// StartCommand starts a command of Command and waits until it has printed its
// URL.
func StartCommand(t *testing.T, cmd *exec.Cmd) *Program {
	t.Helper()
	p := &Program{t: t, cmd: cmd, Stderr: new(bytes.Buffer), HTTP: http.DefaultClient}
	p.cmd.Stderr = p.Stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.Kill()
		}
	})
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	for line := range lines {
		if found := announcedURLPattern.FindStringSubmatch(line); found != nil {
			p.URL, p.Took = found[1], time.Since(began)
			break
		}
	}
	if p.URL == "" {
		p.cmd.Wait()
		t.Fatalf("the program did not start:\n%s", p.Stderr)
	}
	rest := make(chan string, 100)
	go func() {
		defer close(rest)
		for line := range lines {
			rest <- line
		}
	}()
	p.Lines = rest
	return p
}

// Kill kills the program without warning, like a power failure.
func (p *Program) Kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// Stop sends a signal to the program and waits until it has ended.
func (p *Program) Stop(signal os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the program ended with %v:\n%s", err, p.Stderr)
	}
}

// PID returns the process id.
func (p *Program) PID() int { return p.cmd.Process.Pid }

// Address returns the address of the program, as host and port.
func (p *Program) Address() string {
	_, address, _ := strings.Cut(p.URL, "://")
	if host, port, err := net.SplitHostPort(address); err == nil && host == "localhost" {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}
