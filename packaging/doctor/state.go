package doctor

import (
	"time"

	"trento/auth/sso"
	"trento/packaging/config"
)

// State is what is known of an installation. A part that is nil was not looked
// at; each examination says why that can be.
type State struct {
	Now       time.Time
	Version   string     // of the program that examines
	StartedAt *time.Time // when the running server was started; nil: it is stopped

	Configuration *Configuration
	Server        *Server
	Failures      []Failure // what the running server says does not work at the moment
	Files         []File
	Disk          *Disk
	Data          *Data
	Index         *Index
	Backups       *Backups
	Certificate   *Certificate
	HostName      *HostName
	Clock         *Clock
	Ports         []Port
	OpenFiles     *OpenFiles
	Memory        *Memory
	Service       *Service
	Proxies       []string // addresses that forward requests without being trusted; only if the server runs
	Provider      *Provider
	Messages      *Messages
	Agents        *Agents
	Alerts        *Alerts
	Admin         *Admin
	APIKey        *APIKey
	Retention     *Retention
}

// Configuration is how the configuration was read.
type Configuration struct {
	File    string // with it, --config was given; "" for the environment alone
	Notices []config.Notice
	Faults  []string // why the server would not start with it
}

// Failure is something that does not work at the moment. The banner of the
// console and /api/readyz tell of the same.
type Failure struct {
	Critical     bool
	Text, Advice string
	Since        time.Time
}

// Server is a running server, as a command sees it that compares it with
// itself.
type Server struct {
	Version string
	// FileChangedAt is when the configuration file was changed last; the zero
	// time if there is no file.
	FileChangedAt time.Time
}

// File is a file or directory that has to be hidden from others, or readable
// for the server.
type File struct {
	Path     string
	Mode     uint32 // permissions
	Allowed  uint32 // the permissions that the file may have
	Owner    string // user name, or number
	Expected string // the owner that it should have; "" if any will do
	Secret   bool   // whoever reads it can sign in or pretend to be the server
	Problem  string // why it could not be looked at or read; "" if it could
}

// Disk is the file system of the data directory.
type Disk struct {
	Dir        string
	Free, Size int64 // in bytes; Free is what the server may use
	FreeFiles  int64 // files that can still be made; -1 if there is no limit
	Store      int64 // bytes of the data file
	ReadOnly   bool
	// FullIn is when the disk is full if it fills as fast as lately; 0 if that
	// is not known, or it does not fill.
	FullIn time.Duration
}

// Data is the data file.
type Data struct {
	Dir     string
	Missing bool
	Newer   bool   // a later version has written it
	Older   bool   // an earlier version has written it
	Fault   string // why it cannot be opened, or is damaged
	// Verified: the whole file was read and its rules were checked.
	Verified   bool
	Size, Free int64 // bytes of the file, and those of them that hold no data
}

// Index is the search index of the running server.
type Index struct {
	Behind time.Duration // between the newest entry of the log and the newest in the index
}

// Backups are the regular backups.
type Backups struct {
	Dir       string // "": there is no schedule
	Encrypted bool
	SameDisk  bool      // Dir is on the file system of the data
	Newest    time.Time // the zero time if there is none
	Overdue   bool
	Fault     string // why Dir cannot be read
	// LastOther is when the last backup was made on request; the zero time if
	// there was none, or it is not known.
	LastOther time.Time
}

// Certificate is how the server encrypts.
type Certificate struct {
	On         bool     // the server has a certificate
	Proxy      bool     // a trusted reverse proxy may encrypt instead
	Loopback   bool     // only this machine can connect
	Fault      string   // why it cannot be read
	Faults     []string // what is wrong with it
	Refused    bool     // clients refuse it already
	SelfSigned bool
	Source     string // the variables that name it
}

// Encrypts reports whether nobody on the network can read what is sent to the
// server.
func (c *Certificate) Encrypts() bool { return c.On || c.Proxy || c.Loopback }

// HostName is the name in TRENTO_WEB_ORIGIN.
type HostName struct {
	Name  string // "" if it is not set
	Needs string // the feature that needs it; "" if none does
	Fault string // why it cannot be resolved; "" if it can, or was not tried
	Tried bool
}

// Clock is whether the clock of the machine is kept right.
type Clock struct {
	Synchronized bool
	Problem      string // why that is not known
}

// Port is a port that the server needs.
type Port struct {
	Variable   string
	Number     int
	InUse      bool // by another program
	Privileged bool // the user of the command may not open it
	Problem    string
}

// OpenFiles is the limit on open files of the running server.
type OpenFiles struct {
	Affordable int // connections that the limit leaves room for
	Wanted     int // connections that the configuration allows
}

// Memory is the memory of the running server, in bytes.
type Memory struct {
	Limit int64 // what the server keeps below
}

// Service is whether something restarts the server.
type Service struct {
	Systemd  bool // systemd has started it
	Watchdog bool // systemd restarts it if it hangs
}

// Provider is the identity provider.
type Provider struct {
	Kind     string // "OpenID Connect", "OAuth 2.0" or "SAML"; "" if single sign-on is off
	Findings []sso.Finding
	Fault    string // why it could not be tried
	Asked    bool
}

// Messages is the way of messages to agents.
type Messages struct {
	Off       bool   // ENABLE_AMQP=false
	Elsewhere bool   // at the broker of AMQP_URL
	Fault     string // why that broker cannot be used
	// Reporting is how many agents have reported lately, and Connected how many
	// are connected for messages.
	Reporting, Connected int
}

// Agents are the agents.
type Agents struct {
	Hosts  int      // registered
	Lost   []string // names of hosts without heartbeat
	Faulty []string // names of hosts with reports that could not be used in full
	// Refused are addresses from which agents were refused in the last day.
	Refused []Refusal
	KeyOff  bool // everybody may report as an agent
}

// Alerts are the ways by which people are alerted.
type Alerts struct {
	On          bool
	SecretsLost bool   // passwords are stored, but cannot be decrypted
	Relay       string // host of the mail relay; "" if there is none
	RelayFault  string // why it cannot be used
	Encrypted   bool   // the mail relay offers TLS
	Webhook     string // host of the webhook; "" if there is none
	// WebhookFault is why the host of the webhook cannot be found.
	WebhookFault string
	Asked        bool // relay and name service were asked
}

// Refusal is an address from which agents were refused.
type Refusal struct {
	Address, Of, Reason string // Of is "reports" or "messages"
}

// Admin is the default admin.
type Admin struct {
	Name string
	// PasswordFile is the file with the generated password; "" if there is
	// none.
	PasswordFile string
	Unused       bool // the generated password was never used
	NeverChanged bool // the password is still the generated one
	Alone        bool // no other user manages users
}

// APIKey is the key of the agents.
type APIKey struct {
	Ends     bool
	DaysLeft int // -1 if it has ended
	Soon     bool
}

// Retention is how long the activity log is kept.
type Retention struct {
	Text  string
	Years int
	Bytes int64 // of the data file
}
