package bench_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/test/bench"
	"github.com/redis/go-redis/v9"
)

const floorKey, floorChannel = "floor", "floor-events"

// floor is the lower limit of any propagation, see the package's documentation.
type floor struct {
	t         testing.TB
	publisher *redis.Client
	content   bench.Content
	round     atomic.Pointer[round]
	compiled  once[*evaluate.Config]
	receivers int
	version   int64
}

// startFloor starts a receiver on each client.
func startFloor(t testing.TB, publisher *redis.Client, content bench.Content, clients []*redis.Client) *floor {
	t.Helper()
	f := &floor{t: t, publisher: publisher, content: content, receivers: len(clients), version: 1_000_000}
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	for i, client := range clients {
		sub := client.Subscribe(t.Context(), floorChannel)
		if _, err := sub.Receive(t.Context()); err != nil {
			t.Fatalf("floor: subscribe: %v", err)
		}
		t.Cleanup(func() { _ = sub.Close() })
		running.Go(func() { f.receive(i, client, sub) })
	}
	return f
}

func (f *floor) receive(i int, client *redis.Client, sub *redis.PubSub) {
	for {
		message, err := sub.ReceiveMessage(context.Background())
		if err != nil {
			return // the subscription is closed
		}
		version, _ := strconv.ParseInt(message.Payload, 10, 64)
		data, err := client.Get(context.Background(), floorKey).Bytes()
		if err != nil {
			f.t.Errorf("floor: GET: %v", err)
			return
		}
		config := f.compiled.do(version, func() *evaluate.Config { return compile(f.t, data) })
		value, _ := config.EvaluateValue(bench.VersionFlag, nil, evaluate.IntValue(0), nil)
		f.round.Load().arrived(i, value.Int())
	}
}

// compile compiles the config in a stored blob.
func compile(t testing.TB, data []byte) *evaluate.Config {
	blob, err := wire.ParseBlob(data)
	var json []byte
	if err == nil {
		json, err = blob.JSON()
	}
	var config *evaluate.Config
	if err == nil {
		config, err = evaluate.Parse(json)
	}
	if err != nil {
		t.Errorf("floor: %v", err)
	}
	return config
}

// run sends one change and waits until all receivers have it.
func (f *floor) run() *round {
	f.version++
	f.store(f.content.JSON(f.version))
	r := newRound(f.version, f.receivers)
	f.round.Store(r)
	if err := f.publisher.Publish(f.t.Context(), floorChannel, f.version).Err(); err != nil {
		f.t.Fatalf("floor: PUBLISH: %v", err)
	}
	return r
}

// store writes the bytes that a leader would write.
func (f *floor) store(json []byte) {
	codec, payload := wire.Encode(json)
	blob := wire.Blob{Rev: wire.MinRev, Hash: wire.ContentHash(json), Codec: codec, Payload: payload}
	if err := f.publisher.Set(f.t.Context(), floorKey, blob.Append(nil), 0).Err(); err != nil {
		f.t.Fatalf("floor: SET: %v", err)
	}
}
