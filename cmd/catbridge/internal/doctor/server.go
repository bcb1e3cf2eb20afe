package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/internal/redisnode"
)

// minMajor is the oldest major version of Redis that the scripts work with.
const minMajor = 7

// node is a server as described by its reply to HELLO, which needs no right.
type node struct {
	address, program, version, mode, role string
}

func (d *Doctor) server(ctx context.Context) {
	var mu sync.Mutex
	var nodes []node
	err := redisnode.Each(ctx, d.client, func(ctx context.Context, client *redis.Client) error {
		n, err := hello(ctx, client)
		mu.Lock()
		defer mu.Unlock()
		nodes = append(nodes, n)
		return err
	})
	if err != nil {
		d.unknown("version and role are unknown: %v", redisurl.Explain(err))
		return
	}
	slices.SortFunc(nodes, func(a, b node) int { return strings.Compare(a.address, b.address) })
	writable := false
	for _, n := range nodes {
		what := fmt.Sprintf("%s is %s %s, %s, %s", n.address, n.program, n.version, n.mode, n.role)
		major, _ := strconv.Atoi(strings.SplitN(n.version, ".", 2)[0])
		switch {
		case n.mode == "sentinel":
			d.fault("set redis.mode to sentinel and redis.master_name", "%s: a Sentinel stores no data", what)
		case major < minMajor:
			d.fault(fmt.Sprintf("upgrade to Redis %d.0 or later, or Valkey", minMajor), "%s", what)
		case n.mode == "cluster" && d.isSingle():
			d.fault("set redis.mode to cluster", "%s: a single node does not have all keys", what)
		case n.role != "master" && d.isSingle() && d.As == Leader:
			d.fault("give the address of the primary, or use Sentinel", "%s: a leader cannot write to a replica", what)
		default:
			writable = writable || n.role == "master"
			d.good("%s", what)
		}
	}
	if !writable && !d.isSingle() && !d.bad {
		d.fault("start a primary", "none of the nodes is a primary")
	}
}

func (d *Doctor) isSingle() bool { return d.Settings.Redis.Mode == redisurl.Single }

var errHello = errors.New("an unexpected reply to HELLO")

func hello(ctx context.Context, client *redis.Client) (node, error) {
	n := node{address: client.Options().Addr}
	reply, err := client.Do(ctx, "HELLO").Result()
	if err != nil {
		return n, err
	}
	fields := map[string]string{}
	switch reply := reply.(type) {
	case map[any]any: // RESP3
		for name, value := range reply {
			fields[fmt.Sprint(name)] = fmt.Sprint(value)
		}
	case []any: // RESP2
		for i := 0; i+1 < len(reply); i += 2 {
			fields[fmt.Sprint(reply[i])] = fmt.Sprint(reply[i+1])
		}
	default:
		return n, errHello
	}
	n.program, n.version, n.mode, n.role = fields["server"], fields["version"], fields["mode"], fields["role"]
	return n, nil
}

// memory checks whether Redis may evict the keys of the bridge.
func (d *Doctor) memory(ctx context.Context) {
	var mu sync.Mutex
	infos := map[string]map[string]string{}
	err := redisnode.Each(ctx, d.client, func(ctx context.Context, client *redis.Client) error {
		text, err := client.Info(ctx, "memory").Result()
		mu.Lock()
		defer mu.Unlock()
		infos[client.Options().Addr] = infoFields(text)
		return err
	})
	if redis.IsPermissionError(err) {
		d.unknown("unknown whether Redis evicts keys: this user has no right to INFO; maxmemory-policy should be noeviction")
		return
	}
	if err != nil {
		d.unknown("unknown whether Redis evicts keys: %v", redisurl.Explain(err))
		return
	}
	for _, address := range slices.Sorted(maps.Keys(infos)) {
		d.eviction(address, infos[address])
	}
}

func (d *Doctor) eviction(address string, info map[string]string) {
	policy, most, used := info["maxmemory_policy"], number(info["maxmemory"]), number(info["used_memory"])
	const advice = "set maxmemory-policy to noeviction, or use a separate Redis for the bridge"
	switch {
	case policy == "":
		d.unknown("%s does not report whether it evicts keys", address)
	case most == 0:
		d.good("%s has no maxmemory, and evicts no keys", address)
	case strings.HasPrefix(policy, "allkeys-"):
		d.fault(advice, "%s may evict the lock, the content, the history and what operators put in force (control, pinned, source) when it runs out of memory (maxmemory-policy %s): until the leader writes the content again, new followers have no config; a history that is lost stays so, and so does a pin or a force if its leader ends meanwhile", address, policy)
	case strings.HasPrefix(policy, "volatile-"):
		d.fault(advice, "%s may evict the lock when it runs out of memory (maxmemory-policy %s): then another leader takes over", address, policy)
	case used*10 > most*9:
		d.fault("raise maxmemory, or the leader cannot write new content", "%s has used %d of %d bytes", address, used, most)
	default:
		d.good("%s evicts no keys (maxmemory-policy %s), and has used %d%% of maxmemory", address, policy, used*100/most)
	}
}

func infoFields(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
