package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/hostname"
)

// MaxHold is the longest time for which a request can be held. Most official SDKs wait for an answer
// for 10 s or longer. Requests of those that wait only for 5 s are held for at most 3 s
// (G6).
const MaxHold = 5 * time.Second

// The defaults of [Config], in requests (G7).
const (
	DefaultMaxStreams          = 20_000
	DefaultMaxStreamsPerClient = 5_000
)

// Config configures a [Gateway]. [New] copies it, so the caller may change it afterwards.
type Config struct {
	// SDKs are the configs to serve. They can be replaced later, see [Gateway.SetSDKs]. Empty: every
	// key is answered with 404 (G8, G11).
	SDKs []SDK

	// Hold is how long a request is held at most, until the config changes. It is at most [MaxHold]. 0:
	// requests are not held. Those of some SDKs are held for a shorter time or not at all (G6).
	Hold time.Duration

	// MaxStale is the greatest age of a config that is served: the time since the CDN last confirmed
	// it. For an older one, or one of unknown age, clients receive 503 and keep the config that they
	// have. Streams of values end when their config becomes that old (G4). 0: any age.
	MaxStale time.Duration

	// OpenNames accepts the path configcat-proxy/{name} from everywhere: everyone who can connect to
	// the gateway can read the configs that have a name (G8).
	OpenNames bool
	// OpenEvaluation accepts a name alone for evaluation, streams and refreshes from everywhere: everyone
	// who can connect to the gateway can evaluate flags, but not read the rules (G12).
	// OpenNames includes it.
	OpenEvaluation bool
	// Hosts are host names that requests on a loopback address may use together with a name alone,
	// besides localhost and IP addresses. The check keeps pages of other sites, whose host name
	// resolves to this machine, from reading configs. Write them without scheme and port (G8). Empty: none.
	Hosts []string

	// Origins are the origins whose pages may read all answers (CORS): scheme://host[:port],
	// scheme://*.domain[:port], or * for all (G9). Empty: none.
	Origins []string

	// EventKeys sign the URIs of event streams for clients of OFREP. Each has 32 bytes or more. The first
	// signs, and all are accepted, so that keys can be replaced. Processes behind one name need the same keys, because a
	// client starts its stream at any of them. See [Gateway.SetEventKeys] (G19). Empty: a random key.
	EventKeys [][]byte

	// MaxStreams bounds the requests that are held, and the event streams that are open, at once. Beyond it,
	// requests are answered at once, and streams with 503 (G7). 0: [DefaultMaxStreams].
	MaxStreams int
	// MaxStreamsPerClient is the same bound for each IPv4 address and each /64 network of IPv6.
	// Clients behind one load balancer have one address (G7). 0:
	// [DefaultMaxStreamsPerClient], in requests.
	MaxStreamsPerClient int
}

// SDK is one config to serve. [New] and [Gateway.SetSDKs] copy it.
type SDK struct {
	// Name is the name in configcat-proxy/{name}: 1 to 128 letters, digits, dots, underscores and
	// hyphens. Several SDKs can have one name, such as the old and the new SDK key during a
	// rotation: the first that has a config is served (G8). Empty: only Key selects the config.
	Name string
	// Key is an SDK key that selects this config, usually that of Client. A key that starts with
	// configcat-proxy/ is no secret, so it is accepted only where Name alone is (G8). Empty:
	// only Name selects the config.
	Key string
	// Tokens select this config together with Name (G8, G12). Empty: no token is accepted.
	Tokens []Token
	// DefaultUser contains user attributes for evaluations, as JSON values or as [follower.UserData] has
	// them. A request overrides them one by one (G13). Empty: none.
	DefaultUser map[string]any
	// Refresh asks the leader to poll the CDN now. The gateway calls it at most once a second, for
	// POST /api/{name}/refresh. It returns an error if the leader could not be asked. nil: that route answers with 501 (G16).
	Refresh func(context.Context) error
	// Client is the source of the config (G1). The gateway does not close it. Required.
	Client *follower.Client
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

func (cfg *Config) check() error {
	var errs []error
	if cfg.Hold < 0 || cfg.Hold > MaxHold {
		errs = append(errs, fmt.Errorf("gateway: Hold: %v is not between 0 and %v", cfg.Hold, MaxHold))
	}
	if cfg.MaxStale < 0 {
		errs = append(errs, fmt.Errorf("gateway: MaxStale: %v is negative", cfg.MaxStale))
	}
	if cfg.MaxStreams < 0 || cfg.MaxStreamsPerClient < 0 {
		errs = append(errs, errors.New("gateway: MaxStreams and MaxStreamsPerClient must not be negative"))
	}
	for _, host := range cfg.Hosts {
		if !hostname.Valid(host) {
			errs = append(errs, fmt.Errorf("gateway: Hosts: %q is not a host name: write it without scheme, port and path", host))
		}
	}
	cfg.MaxStreams = cmp.Or(cfg.MaxStreams, DefaultMaxStreams)
	cfg.MaxStreamsPerClient = cmp.Or(cfg.MaxStreamsPerClient, DefaultMaxStreamsPerClient)
	return errors.Join(errs...)
}

// check returns an error that joins all faults. It contains no key and no token.
func (s *SDK) check() error {
	var errs []error
	if s.Client == nil {
		errs = append(errs, errors.New("Client is required")) //nolint:staticcheck // a field's name
	}
	switch {
	case s.Name == "" && s.Key == "":
		errs = append(errs, errors.New("one of Name and Key is required"))
	case s.Name != "" && !nameForm.MatchString(s.Name):
		errs = append(errs, fmt.Errorf("Name: %q does not consist of 1 to 128 letters, digits, dots, underscores and hyphens", s.Name)) //nolint:staticcheck // a field's name
	case s.Name == "" && len(s.Tokens) > 0:
		errs = append(errs, errors.New("Tokens need a Name"))
	}
	for i, token := range s.Tokens {
		if err := token.check(); err != nil {
			errs = append(errs, fmt.Errorf("Tokens[%d]: %w", i, err)) //nolint:staticcheck // a field's name
		}
	}
	if _, err := newUser(s.DefaultUser, nil); err != nil {
		errs = append(errs, fmt.Errorf("DefaultUser: %w", err)) //nolint:staticcheck // a field's name
	}
	return errors.Join(errs...)
}
