package daemon

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kardianos/service"
)

const (
	serviceName        = "trento-web"
	serviceDescription = "Trento, a console for SAP systems on Linux"
)

// The unit and the declaration of its user are the files of the package.
var (
	//go:embed trento-web.service
	unit string
	//go:embed sysusers.conf
	sysusers string
)

// packagedExecutable is the path of the program in the unit.
const packagedExecutable = "/usr/bin/trento-web"

var (
	// ErrPackaged means that the service was installed by a package, so only
	// the package manager may install or remove it.
	ErrPackaged = errors.New("the service belongs to an installed package")
	// ErrLocation means that the service could not read the program in its
	// present directory.
	ErrLocation = errors.New("the service cannot run a program from there")
)

// Control controls the service through the service manager, on machines where
// no package has installed it. All methods except Status need root.
type Control struct {
	service       service.Service
	executable    string   // path of the program of this process
	packagedPaths []string // paths at which a package installs the unit
	installedPath string   // path at which Install writes the unit
}

// NewControl returns a Control for the service manager of the machine.
func NewControl() (*Control, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if executable, err = filepath.EvalSymlinks(executable); err != nil {
		return nil, err
	}
	s, err := service.New(&program{}, serviceConfig(executable))
	if err != nil {
		return nil, err
	}
	return &Control{
		service:       s,
		executable:    executable,
		packagedPaths: []string{"/usr/lib/systemd/system/" + serviceName + ".service", "/lib/systemd/system/" + serviceName + ".service"},
		installedPath: "/etc/systemd/system/" + serviceName + ".service",
	}, nil
}

func serviceConfig(executable string) *service.Config {
	// A template of kardianos/service has {{Path}}, not {{.Path}}.
	template := strings.ReplaceAll(unit, "="+packagedExecutable, "={{Path | cmdEscape}}")
	return &service.Config{
		Name:        serviceName,
		Description: serviceDescription,
		Executable:  executable,
		Option:      service.KeyValue{"SystemdScript": template},
	}
}

// Install makes the user of the service, writes the unit and enables it at
// boot. It does not start the service. It fails with ErrPackaged if our unit would hide the unit of a
// package, and with ErrLocation if the program is in a home or temporary
// directory, which the unit hides from the service.
func (c *Control) Install() error {
	if unit, ok := c.findPackagedUnit(); ok {
		return fmt.Errorf("%w (%s): use systemctl enable --now %s", ErrPackaged, unit, serviceName)
	}
	for _, hidden := range []string{"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"} {
		if strings.HasPrefix(c.executable, hidden) {
			return fmt.Errorf("%s: %w: copy it to /usr/local/bin first", c.executable, ErrLocation)
		}
	}
	if err := makeUser(); err != nil {
		return err
	}
	return c.service.Install()
}

// makeUser makes the user of the service if it is missing.
func makeUser() error {
	cmd := exec.Command("systemd-sysusers", "-")
	cmd.Stdin = strings.NewReader(sysusers)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the user of the service: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// Uninstall stops the service and deletes the unit that Install wrote. It
// leaves the data and their owner. It fails with ErrPackaged if the only unit is that of a
// package.
func (c *Control) Uninstall() error {
	if unit, ok := c.findPackagedUnit(); ok && !fileExists(c.installedPath) {
		return fmt.Errorf("%w (%s): remove the package instead", ErrPackaged, unit)
	}
	if err := c.service.Stop(); err != nil {
		return err
	}
	return c.service.Uninstall()
}

// Start starts the service.
func (c *Control) Start() error { return c.service.Start() }

// Stop stops the service and waits for its end.
func (c *Control) Stop() error { return c.service.Stop() }

// Status returns "running", "stopped" or "not installed". A failed service is
// an error.
func (c *Control) Status() (string, error) {
	status, err := c.service.Status()
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		return "not installed", nil
	case err != nil:
		return "", err
	case status == service.StatusRunning:
		return "running", nil
	default:
		return "stopped", nil
	}
}

func (c *Control) findPackagedUnit() (string, bool) {
	for _, unit := range c.packagedPaths {
		if fileExists(unit) {
			return unit, true
		}
	}
	return "", false
}

func fileExists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
