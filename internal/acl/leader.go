package acl

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/redisnode"
)

//go:embed rights.lua
var rightsSource string

// CheckLeader asks Redis whether the client's user may run all commands of a leader of the
// SDK key in the namespace; an empty namespace means none. It returns a [*RightsError] if rights
// are missing; any other error says that the check failed. Redis before 7.0 cannot check rights:
// CheckLeader then returns nil. If +eval is missing, no other missing right is reported. In a
// cluster it asks every primary.
func CheckLeader(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string) error {
	needs := leaderNeeds(cachekeys.For(sdkKey, namespace, redisnode.OptionsOf(client).DB))
	if err := redisnode.Check(client); err != nil {
		return fmt.Errorf("rights in Redis: %w", err)
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
		return nil, fmt.Errorf("%d answers to %d questions", len(answers), len(questions))
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
