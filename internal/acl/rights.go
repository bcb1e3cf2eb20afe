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
	"github.com/catbridge/catbridge/internal/redisnode"
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
}

func (e *RightsError) Error() string {
	where := ""
	if len(e.Nodes) > 0 {
		where = " on " + strings.Join(e.Nodes, ", ")
	}
	return "leader: the user of Redis lacks rights" + where + ", to be granted by ACL SETUSER: " + strings.Join(e.Missing, " ")
}

// CheckRights asks Redis whether the client's user may run all commands of a leader of the
// SDK key in the namespace; an empty namespace means none. It changes nothing. It returns a
// [*RightsError] if rights are missing; any other error says that the check failed. Redis
// before 7.0 cannot check rights: CheckRights then returns nil. If +eval is missing, no other
// missing right is reported. In a cluster it asks every primary.
func CheckRights(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string) error {
	needs := leaderNeeds(cachekeys.For(sdkKey, namespace, redisnode.OptionsOf(client).DB))
	if err := redisnode.Check(client); err != nil {
		return fmt.Errorf("leader: rights in Redis: %w", err)
	}
	if single := redisnode.Single(client); single != nil {
		missing, err := needs.missing(ctx, single)
		return rightsError(missing, nil, err)
	}
	var mu sync.Mutex
	var all, nodes []string
	needs = append(needs, clusterNeeds...)
	err := redisnode.EachPrimary(ctx, client, func(ctx context.Context, node *redis.Client) error {
		missing, err := needs.missing(ctx, node)
		mu.Lock()
		defer mu.Unlock()
		if all = append(all, missing...); len(missing) > 0 {
			nodes = append(nodes, node.Options().Addr)
		}
		return err
	})
	if rule := deniedRule(err); rule != "" {
		all, err = append(all, rule), nil // for example the command that lists the nodes
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

// missing asks one node and returns the rules that grant the missing rights.
func (list needs) missing(ctx context.Context, client *redis.Client) ([]string, error) {
	questions := make([]any, 0, len(list))
	for _, n := range list {
		questions = append(questions, n.text)
	}
	// EVAL: the check must not fail because EVALSHA is missing.
	answers, err := client.Eval(ctx, rightsSource, nil, questions...).Int64Slice()
	switch rule := deniedRule(err); {
	case errors.Is(err, redis.Nil):
		return nil, nil // this Redis cannot check rights
	case rule != "":
		return []string{rule}, nil
	case err != nil:
		return nil, err
	case len(answers) != len(questions):
		return nil, errReply
	}
	var rules []string
	commands, targets := map[string]bool{}, map[string]bool{} // those with at least one right
	for i, n := range list {
		if answers[i] == 1 {
			commands[n.command], targets[n.target+n.mode] = true, true
			if n.mode == readWrite {
				targets[n.target+read], targets[n.target+write] = true, true
			}
		}
	}
	var unclear []need
	for i, n := range list {
		switch {
		case answers[i] == 1 || !n.used:
		case n.target == "" || targets[n.target+n.mode] && !commands[n.command]:
			rules = append(rules, n.rule())
		case targets[n.target+n.mode]: // selectors grant command and target, but not together
			rules = append(rules, "("+n.rule()+" "+n.grant+")")
		case commands[n.command]:
			rules = append(rules, n.grant)
		default:
			unclear = append(unclear, n)
		}
	}
	for _, n := range unclear {
		// Once the rules above are granted, the next check decides about the command.
		if slices.Contains(rules, n.grant) {
			continue
		}
		if n.mode == channel && deniedRule(subscribe(ctx, client, n.target)) == "" {
			rules = append(rules, n.grant)
		} else {
			rules = append(rules, n.rule())
		}
	}
	return rules, nil
}

// subscribe tries to subscribe: its error, unlike the check's answer, says what is missing.
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
