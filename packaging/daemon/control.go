package daemon

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kardianos/service"
)

const (
	name        = "trento-web"
	description = "Trento, a console for SAP systems on Linux"
)

// The template language is that of package service: {{Name}}, not {{.Name}}.
//
//go:embed trento-web.service.tmpl
var unitTemplate string

var (
	// ErrPackaged says that the service belongs to a package of the system,
	// so that it is not ours to install or remove.
	ErrPackaged = errors.New("the service belongs to an installed package")
	// ErrLocation says that the service could not read the program where it lies.
	ErrLocation = errors.New("the service cannot run a program from there")
)

// Control is the service as the service manager of the machine sees it, for
// machines on which no package has installed it. All but Status need root.
type Control struct {
	service    service.Service
	executable string   // of this process
	packaged   []string // where a package would put the unit
	installed  string   // where Install puts it
}

// NewControl finds the service manager of the machine.
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
		service:    s,
		executable: executable,
		packaged:   []string{"/usr/lib/systemd/system/" + name + ".service", "/lib/systemd/system/" + name + ".service"},
		installed:  "/etc/systemd/system/" + name + ".service",
	}, nil
}

func serviceConfig(executable string) *service.Config {
	return &service.Config{
		Name:        name,
		Description: description,
		Executable:  executable,
		Option:      service.KeyValue{"SystemdScript": unitTemplate},
	}
}

// Install writes the unit and has it started with the machine, but does not
// start it now. ErrPackaged: the unit of a package would be hidden by ours.
// ErrLocation: the unit keeps home and temporary directories out of sight.
func (c *Control) Install() error {
	if unit, ok := c.packagedUnit(); ok {
		return fmt.Errorf("%w (%s): use systemctl enable --now %s", ErrPackaged, unit, name)
	}
	for _, hidden := range []string{"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"} {
		if strings.HasPrefix(c.executable, hidden) {
			return fmt.Errorf("%s: %w: copy it to /usr/local/bin first", c.executable, ErrLocation)
		}
	}
	return c.service.Install()
}

// Uninstall stops the service and removes the unit that Install wrote. The
// data stay. ErrPackaged: there is only the unit of a package.
func (c *Control) Uninstall() error {
	if unit, ok := c.packagedUnit(); ok && !exists(c.installed) {
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

// Status is one of "running", "stopped" and "not installed". A service that
// has failed is an error.
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

func (c *Control) packagedUnit() (string, bool) {
	for _, unit := range c.packaged {
		if exists(unit) {
			return unit, true
		}
	}
	return "", false
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
