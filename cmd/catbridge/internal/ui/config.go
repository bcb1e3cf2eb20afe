package ui

import (
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
)

// Observer is where the views come from, usually an observe.Observer.
type Observer interface {
	// Labels returns the labels of all SDK keys, in the order of the settings.
	Labels() []string
	// View returns the current view of an SDK key; nil: there is no such SDK key.
	View(label string) *observe.View
	// Changed returns a channel that is closed at the next change of a view.
	Changed() <-chan struct{}
	// Watching keeps the views fresh until release is called.
	Watching() (release func())
	// Secret returns an SDK key itself, which no page shows.
	Secret(label string) (key string, ok bool)
}

// Config configures a [UI].
type Config struct {
	Process  string   // leader or serve. Required.
	Version  string   // of the program; empty: it is not shown
	Observer Observer // Required.
	// Acts reports whether Actions are offered: only a leader offers them.
	Acts bool
	// Redis is where the history is read and Actions are written. Required.
	Redis     redis.UniversalClient
	Namespace string
	// Tokens are the credentials in effect at first; see [UI.SetTokens].
	Tokens []Token
	// Open reports whether the listener can only be reached from this machine: it is a loopback
	// address or a Unix socket. Without tokens, everybody who reaches it may then look and explain.
	Open bool
	// OpenActions allows them to act, too, if Acts is true. The process's user in Redis may put flags in
	// force, and with it all programs of this machine then may: those of other users, those in
	// containers with the network of the host, and those that make requests for somebody else.
	OpenActions bool
	// Hosts are host names that requests may use besides localhost and IP addresses. If Hosts is
	// empty, no other names are allowed if Open is true, and any name otherwise.
	Hosts []string
	// Secure reports whether TLS ends in this process. Cookies are then Secure; otherwise only if
	// X-Forwarded-Proto is https.
	Secure bool
	// Logger logs faults of pages; nil: no log.
	Logger *slog.Logger
}

// Token is a credential with a right to the dashboard.
type Token struct {
	Secret string
	Name   string   // of the person, for the log of Actions; empty: the page asks for it
	SDKs   []string // labels of the SDK keys that it shows; empty: all

	Read    bool // may look at the dashboard; Explain and Control include it
	Explain bool // may evaluate flags for a user
	Control bool // may put flags and pins in force; without effect unless Acts
}
