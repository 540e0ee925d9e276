package server

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"trento/packaging/certificate"
	"trento/ui/page"
)

// openCertificate reads the certificate of the administrator, if there is one.
// It is called before the store is opened, so that a start that fails because of
// the files leaves nothing behind.
func (s *server) openCertificate(ctx context.Context) (err error) {
	c := s.config
	if !c.TLS() {
		return nil
	}
	o := certificate.Options{
		CertFile: c.TLSCertFile, KeyFile: c.TLSKeyFile, SelfSigned: c.TLSSelfSigned, Directory: filepath.Join(c.DataDir, "tls"),
		Names: s.machineNames, Host: cmp.Or(c.TLSACMEDomain, hostOf(c.Origin)), Now: time.Now, Log: s.log,
	}
	if c.TLSACMEDomain != "" {
		o.ACME = &certificate.ACME{Domain: c.TLSACMEDomain, Email: c.TLSACMEEmail, Directory: c.TLSACMEDirectory, CAFile: c.TLSACMECAFile}
	}
	if s.certificate, err = certificate.New(o); err != nil || c.TLSCertFile == "" {
		return err
	}
	return s.certificate.Load(ctx)
}

// makeCertificate reads or makes the certificate that is kept in the data
// directory, if there is one.
func (s *server) makeCertificate(ctx context.Context) error {
	if s.certificate == nil || s.config.TLSCertFile != "" {
		return nil
	}
	return s.certificate.Load(ctx)
}

// hostOf returns the host of an address without its port.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return strings.Trim(address, "[]")
}

// lookupTimeout is how long the start waits for the full name of this machine.
const lookupTimeout = 2 * time.Second

// machineNames returns the names and addresses under which clients may reach
// this machine, the best one first.
func (s *server) machineNames(ctx context.Context) (names []string, addresses []net.IP) {
	seen := map[string]bool{}
	add := func(name string) {
		name = strings.TrimSuffix(name, ".")
		if name == "" || seen[name] {
			return
		}
		seen[name] = true
		if address, err := netip.ParseAddr(name); err == nil {
			addresses = append(addresses, address.WithZone("").AsSlice())
		} else {
			names = append(names, name)
		}
	}
	add(s.config.TLSACMEDomain)
	add(hostOf(s.config.Origin))
	if host, err := os.Hostname(); err == nil {
		ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
		if full, err := net.DefaultResolver.LookupCNAME(ctx, host); err == nil {
			add(full)
		}
		add(host)
	}
	add("localhost")
	if s.config.Listen.IsValid() && !s.config.Listen.IsUnspecified() {
		add(s.config.Listen.String())
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		s.log.Warn("the addresses of this machine are not known, so the self-signed certificate does not name them", "error", err)
	}
	for _, a := range all {
		if network, ok := a.(*net.IPNet); ok && !network.IP.IsLinkLocalUnicast() {
			add(network.IP.String())
		}
	}
	return names, addresses
}

// describeCertificate returns a function that describes the present certificate
// for the console; nil without TLS.
func (s *server) describeCertificate() func() page.Certificate {
	if s.certificate == nil {
		return nil
	}
	return func() page.Certificate {
		c := s.certificate.Status()
		return page.Certificate{
			Names: c.Names, Issuer: c.Issuer, NotAfter: c.NotAfter, Fingerprint: c.Fingerprint, SelfSigned: c.SelfSigned, Faults: c.Faults,
		}
	}
}

// certificateTasks returns the work that the certificate needs.
func (s *server) certificateTasks() []task {
	if s.certificate == nil {
		return nil
	}
	renew := func(ctx context.Context) error {
		s.certificate.Renew(ctx) // it logs failures itself, once
		return nil
	}
	tasks := []task{{name: "TLS certificate", run: renew, every: 2 * time.Second, atStart: true}}
	if s.redirects != nil {
		tasks = append(tasks, task{name: "redirects to https", run: func(context.Context) error { return s.redirects.Serve(s.redirectListener) }})
	}
	return tasks
}
