package leader

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/subscription"
)

// RightsError says which rights a user of Redis lacks.
type RightsError struct {
	// Missing are the rules that grant what is missing, sorted, as ACL SETUSER takes them:
	// +hset, ~catbridge:{…}:*, &catbridge:{…}:events.
	Missing []string
	// Nodes are the addresses of a cluster's nodes that lack some of it, sorted. Each
	// node has users of its own. Empty: there is no cluster.
	Nodes []string
}

func (e *RightsError) Error() string {
	where := ""
	if len(e.Nodes) > 0 {
		where = " on " + strings.Join(e.Nodes, ", ")
	}
	return "leader: the user of Redis lacks rights" + where + ", to be granted by ACL SETUSER: " + strings.Join(e.Missing, " ")
}

// CheckRights asks Redis whether the client's user may do all that a leader of the SDK
// key in a namespace, empty for none, does, and changes nothing. What is missing it tells by a [*RightsError]; other
// errors say that Redis could not be asked. It returns nil as well where Redis is too old
// to tell, before 7.0. Without the right to +eval it can tell of no other. In a cluster it
// asks every primary.
func CheckRights(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string) error {
	needs := leaderNeeds(cachekeys.For(sdkKey, namespace, subscription.Database(client)))
	if single, ok := client.(*redis.Client); ok {
		missing, err := needs.missing(ctx, single)
		return rightsError(missing, nil, err)
	}
	cluster, ok := client.(*redis.ClusterClient)
	if !ok {
		return fmt.Errorf("leader: rights in Redis: want a *redis.Client or a *redis.ClusterClient, have %T", client)
	}
	var mu sync.Mutex
	var all, nodes []string
	needs = append(needs, clusterNeeds...)
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		missing, err := needs.missing(ctx, node)
		mu.Lock()
		defer mu.Unlock()
		if all = append(all, missing...); len(missing) > 0 {
			nodes = append(nodes, node.Options().Addr)
		}
		return err
	})
	if rule := deniedRule(err); rule != "" {
		all, err = append(all, rule), nil // to ask for the nodes, for instance
	}
	return rightsError(all, nodes, err)
}

func rightsError(missing, nodes []string, err error) error {
	if err != nil {
		return fmt.Errorf("leader: rights in Redis: %w", err)
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	slices.Sort(nodes)
	return &RightsError{Missing: slices.Compact(missing), Nodes: nodes}
}

// missing asks one node, and tells a command that is missing from a key or channel that is.
func (list needs) missing(ctx context.Context, client *redis.Client) ([]string, error) {
	questions := make([]any, 0, len(list))
	for _, n := range list {
		questions = append(questions, n.text)
	}
	// As EVAL, since this must not fail for want of EVALSHA.
	answers, err := client.Eval(ctx, rightsSource, nil, questions...).Int64Slice()
	switch rule := deniedRule(err); {
	case errors.Is(err, redis.Nil):
		return nil, nil // it cannot tell
	case rule != "":
		return []string{rule}, nil
	case err != nil:
		return nil, err
	case len(answers) != len(questions):
		return nil, errReply
	}
	var rules []string
	command, place := map[string]bool{}, map[string]bool{} // those that can be used at all
	for i, n := range list {
		if answers[i] == 1 {
			command[n.command], place[n.on+n.mode] = true, true
			if n.mode == readWrite {
				place[n.on+read], place[n.on+write] = true, true
			}
		}
	}
	var unclear []need
	for i, n := range list {
		switch {
		case answers[i] == 1 || !n.used:
		case n.on == "" || place[n.on+n.mode] && !command[n.command]:
			rules = append(rules, n.rule())
		case place[n.on+n.mode]: // a user with selectors
			rules = append(rules, "("+n.rule()+" "+n.grant+")")
		case command[n.command]:
			rules = append(rules, n.grant)
		default:
			unclear = append(unclear, n)
		}
	}
	for _, n := range unclear {
		// Once what is certain was granted, the next check tells.
		if slices.Contains(rules, n.grant) {
			continue
		}
		if n.mode == channel && deniedRule(subscribe(ctx, client, n.on)) == "" {
			rules = append(rules, n.grant)
		} else {
			rules = append(rules, n.rule())
		}
	}
	return rules, nil
}

// subscribe tries it: unlike the question whether one may, the answer says why not.
func subscribe(ctx context.Context, client redis.UniversalClient, channel string) error {
	sub, err := subscription.Open(ctx, client, subscription.Options{
		Channels: []string{channel}, Idle: ackTimeout, Dead: 2 * ackTimeout, Ack: ackTimeout,
	})
	if err == nil {
		sub.Close()
	}
	return err
}

var deniedCommand = regexp.MustCompile(`^NOPERM .*the '([^']+)' command`)

// deniedRule gives the rule for a command that Redis refused; empty: it refused none.
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
