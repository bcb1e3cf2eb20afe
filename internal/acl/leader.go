package acl

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
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
		return leaderError(missing, nil, err)
	}
	var mu sync.Mutex
	all, nodes := lacking{}, []string(nil)
	needs = append(needs, clusterNeeds...)
	err := redisnode.EachPrimary(ctx, client, func(ctx context.Context, node *redis.Client) error {
		missing, err := needs.missing(ctx, node)
		mu.Lock()
		defer mu.Unlock()
		for rule, required := range missing {
			all.add(rule, required)
		}
		if len(missing) > 0 {
			nodes = append(nodes, node.Options().Addr)
		}
		return err
	})
	if rule := deniedRule(err); rule != "" {
		all.add(rule, true) // for example the command that lists the nodes
		err = nil
	}
	return leaderError(all, nodes, err)
}

// lacking holds rules that grant missing rights. A value reports whether the rule is required for
// more than the history.
type lacking map[string]bool

func (l lacking) add(rule string, required bool) { l[rule] = l[rule] || required }

func leaderError(missing lacking, nodes []string, err error) error {
	err = rightsError(slices.Collect(maps.Keys(missing)), nodes, err)
	if rights, ok := errors.AsType[*RightsError](err); ok {
		rights.required = missing
	}
	return err
}

// missing asks one node and returns the rules that grant the missing rights.
func (list needs) missing(ctx context.Context, client *redis.Client) (lacking, error) {
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
		return lacking{rule: true}, nil
	case err != nil:
		return nil, err
	case len(answers) != len(questions):
		return nil, fmt.Errorf("%d answers to %d questions", len(answers), len(questions))
	}
	rules := lacking{}
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
			rules.add(n.rule(), !n.history)
		case targets[n.target+n.mode]: // selectors grant command and target, but not together
			rules.add("("+n.rule()+" "+n.grant+")", !n.history)
		case commands[n.command]:
			rules.add(n.grant, !n.history)
		default:
			unclear = append(unclear, n)
		}
	}
	for _, n := range unclear {
		// Once the rules above are granted, the next check decides about the command.
		if _, ok := rules[n.grant]; ok {
			continue
		}
		if n.mode == channel && deniedRule(subscribe(ctx, client, n.target)) == "" {
			rules.add(n.grant, !n.history)
		} else {
			rules.add(n.rule(), !n.history)
		}
	}
	return rules, nil
}
