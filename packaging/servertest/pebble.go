package servertest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Pebble is a running ACME authority: the one that Let's Encrypt has made for
// tests.
type Pebble struct {
	Directory string         // URL
	CAFile    string         // certificate to trust for Directory
	Roots     *x509.CertPool // what clients of issued certificates have to trust

	cmd *exec.Cmd
}

// StartPebble starts the authority. It checks domains at two ports of this
// machine, whatever their name.
func StartPebble(t *testing.T, httpPort, tlsPort string) *Pebble {
	t.Helper()
	program, err := exec.LookPath(os.Getenv("PEBBLE"))
	if err != nil {
		Need(t, "the variable PEBBLE does not name the program pebble, an ACME authority")
	}
	dir, own := t.TempDir(), NewAuthority(t)
	p := &Pebble{CAFile: filepath.Join(dir, "ca.pem"), Roots: x509.NewCertPool()}
	cert, key := own.Issue("localhost", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	port, management := FreePort(t), FreePort(t)
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": "localhost:" + port, "managementListenAddress": "localhost:" + management,
		"certificate": filepath.Join(dir, "cert.pem"), "privateKey": filepath.Join(dir, "key.pem"),
		"httpPort": number(t, httpPort), "tlsPort": number(t, tlsPort), "retryAfter": map[string]int{"authz": 1, "order": 1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"ca.pem": own.PEM, "cert.pem": cert, "key.pem": key, "config.json": config} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.start(t, program, filepath.Join(dir, "config.json"))
	p.Directory = "https://localhost:" + port + "/dir"

	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: own.Roots}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	Soon(t, "pebble answers", func() bool {
		answer, err := client.Get("https://localhost:" + management + "/roots/0")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		root, err := io.ReadAll(answer.Body)
		return err == nil && answer.StatusCode == http.StatusOK && p.Roots.AppendCertsFromPEM(root)
	})
	return p
}

func (p *Pebble) start(t *testing.T, program, config string) {
	t.Helper()
	var log strings.Builder
	p.cmd = exec.Command(program, "-config", config, "-dnsserver", serveNames(t), "-strict")
	p.cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	p.cmd.Stdout, p.cmd.Stderr = &log, &log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Log(log.String())
		}
	})
}

// Stop stops the authority.
func (p *Pebble) Stop() {
	if p.cmd.ProcessState == nil {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// serveNames runs a name server for which every name is this machine, and
// returns its address. It answers over TCP, as pebble asks.
func serveNames(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for answerName(c) == nil {
				}
			}()
		}
	}()
	return l.Addr().String()
}

// answerName answers one question. Each message follows its size.
func answerName(c net.Conn) error {
	size := make([]byte, 2)
	if _, err := io.ReadFull(c, size); err != nil {
		return err
	}
	packed := make([]byte, binary.BigEndian.Uint16(size))
	if _, err := io.ReadFull(c, packed); err != nil {
		return err
	}
	var m dnsmessage.Message
	if err := m.Unpack(packed); err != nil {
		return err
	}
	answer := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true}, Questions: m.Questions}
	for _, q := range m.Questions {
		if q.Type == dnsmessage.TypeA {
			answer.Answers = append(answer.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			})
		}
	}
	packed, err := answer.Pack()
	if err != nil {
		return err
	}
	_, err = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...))
	return err
}
