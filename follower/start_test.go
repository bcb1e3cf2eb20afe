package follower

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// The versions that the sources of a start contain.
const (
	atOlder = iota + 1
	atRedis
	atNewer
	atCDN
)

// startRow is a row of the table in docs/starts.md.
type startRow struct{ redis, cdn, cache, file, inForce, state string }

func startTable(t *testing.T) []startRow {
	t.Helper()
	page, err := os.ReadFile("../docs/starts.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "|---|---|---|---|---|---|\n")
	if !ok {
		t.Fatal("docs/starts.md has no table")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var rows []startRow
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 6 {
			t.Fatalf("%d cells in %q", len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, startRow{cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]})
	}
	if len(rows) < 20 {
		t.Fatalf("%d rows", len(rows))
	}
	return rows
}

// Every row of docs/starts.md holds (S13, S47, S94–S98, I4, I5).
func TestStart(t *testing.T) {
	for _, row := range startTable(t) {
		t.Run(strings.Join([]string{row.redis, row.cdn, row.cache, row.file}, ", "), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				want, ok := map[string]int{
					"Redis's": atRedis, "the entry": atRedis, "the CDN's": atCDN, "nothing": -1,
					"the Cache's": versionOf(row.cache), "the file's": versionOf(row.file),
				}[row.inForce]
				if !ok {
					t.Fatalf("in force: %q", row.inForce)
				}
				n.fillRedis(t, row.redis)
				c := n.ready(t, row.cdnConfig(t), row.cacheConfig(t), row.fileConfig(t))
				wantVersion(t, c, want)
				if got := c.CacheState().String(); got != row.state {
					t.Errorf("%s, want %s; %+v", got, row.state, c.Stats())
				}
				// In each case the follower then takes a leader's content.
				n.link.Up()
				w := n.writer(t, 99)
				w.beat()
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				wantVersion(t, c, 99)
			})
		})
	}
}

func versionOf(age string) int {
	if age == "newer" {
		return atNewer
	}
	return atOlder
}

// ageOf returns the age of the content of a Cache or a file. An entry is one hour old.
func ageOf(t *testing.T, age string) time.Duration {
	t.Helper()
	switch age {
	case "older":
		return 2 * time.Hour
	case "newer", "corrupt":
		return 10 * time.Minute
	}
	t.Fatalf("age %q", age)
	return 0
}

func (n *network) fillRedis(t *testing.T, with string) {
	t.Helper()
	switch with {
	case "leader's content":
		n.writer(t).commit(configJSON(atRedis))
	case "bad blob, entry":
		w := n.writer(t, atRedis)
		corruptBlob(t, n, w, flipBit)
		n.Del(w.keys.Meta)
	case "fresh entry":
		n.entry(time.Second, atRedis)
	case "expired entry":
		n.entry(time.Hour, atRedis)
	case "empty":
	case "away":
		n.entry(time.Second, 77)
		n.link.Down()
	default:
		t.Fatalf("Redis: %q", with)
	}
}

func (r startRow) cdnConfig(t *testing.T) func(*Config) {
	t.Helper()
	cdn := cdnAt(atCDN)
	switch r.cdn {
	case "-", "offline":
		return func(c *Config) { c.Transport = cdn }
	case "fails":
		cdn.Break(fakecdn.Status(500))
	case "answers":
	default:
		t.Fatalf("CDN: %q", r.cdn)
	}
	return online(cdn)
}

func (r startRow) cacheConfig(t *testing.T) func(*Config) {
	t.Helper()
	cache := new(memoryCache)
	if r.cache != "-" {
		cache.store(ageOf(t, r.cache), versionOf(r.cache))
	}
	return func(c *Config) { c.Cache = cache }
}

func (r startRow) fileConfig(t *testing.T) func(*Config) {
	t.Helper()
	if r.file == "-" {
		return withSnapshotFile(emptyFile(t))
	}
	path := snapshotFile(t, ageOf(t, r.file), versionOf(r.file))
	if r.file == "corrupt" {
		data := encodeFile(cachekeys.For(otherSDKKey, "", 0).Entry, &snapshot.Snapshot{JSON: configJSON(1), Rev: 5})
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return withSnapshotFile(path)
}
