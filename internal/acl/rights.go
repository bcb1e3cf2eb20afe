// Package acl checks which rights the user of a Redis client has. Nothing in it writes to Redis.
package acl

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/subscription"
)

// RightsError lists the rights that a user of Redis lacks.
type RightsError struct {
	// Missing are the rules for ACL SETUSER that grant the missing rights, sorted: for
	// example +hset, ~catbridge:{…}:*, &catbridge:{…}:events.
	Missing []string
	// Nodes are the addresses of the cluster nodes on which rights are missing, sorted. Each
	// node has users of its own. Nodes is empty if Redis is not a cluster.
	Nodes []string

	required map[string]bool // nil: all of Missing are
}

// Required returns the rules of Missing without which the role cannot do its work. The others are
// for the history only: a leader without them leads all the same.
func (e *RightsError) Required() []string {
	if e.required == nil {
		return e.Missing
	}
	var required []string
	for _, rule := range e.Missing {
		if e.required[rule] {
			required = append(required, rule)
		}
	}
	return required
}

func (e *RightsError) Error() string {
	where := ""
	if len(e.Nodes) > 0 {
		where = " on " + strings.Join(e.Nodes, ", ")
	}
	return "the user of Redis lacks rights" + where + ", to be granted by ACL SETUSER: " + strings.Join(e.Missing, " ")
}

func rightsError(missing, nodes []string, err error) error {
	if err != nil {
		return fmt.Errorf("rights in Redis: %w", err)
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	slices.Sort(nodes)
	return &RightsError{Missing: slices.Compact(missing), Nodes: nodes}
}

// subscribeTimeout bounds connecting and the acknowledgement of SUBSCRIBE.
const subscribeTimeout = 2 * time.Second

// subscribe tries to subscribe: its error, unlike the check's answer, says what is missing.
func subscribe(ctx context.Context, client redis.UniversalClient, channel string) error {
	sub, err := subscription.Open(ctx, client, subscription.Options{
		Channels: []string{channel}, Idle: subscribeTimeout, Dead: 2 * subscribeTimeout, Ack: subscribeTimeout,
	})
	if err == nil {
		sub.Close()
	}
	return err
}

var deniedCommand = regexp.MustCompile(`^NOPERM .*the '([^']+)' command`)

// deniedRule returns the rule that grants the command that Redis denied; empty: err is about
// something else.
func deniedRule(err error) string {
	denied, ok := errors.AsType[redis.Error](err)
	if !ok {
		return ""
	}
	if found := deniedCommand.FindStringSubmatch(denied.Error()); found != nil {
		return "+" + strings.ToLower(found[1])
	}
	return ""
}
