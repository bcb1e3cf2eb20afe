package leader

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// A leader without a Logger logs warnings and errors to the default one. A leader with a
// Logger logs everything to it.
func TestALeaderWithoutALoggerLogsWarningsToTheDefault_S100(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	client := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true, MaxRetries: -1}) // no command is sent
	defer client.Close()
	for name, logger := range map[string]*slog.Logger{"default": nil, "discard": slog.New(slog.DiscardHandler)} {
		log := new(syncBuffer)
		slog.SetDefault(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		l, err := New(Config{Redis: client, SDKKeys: []SDKKey{{Key: testKey}}, Logger: logger})
		if err != nil {
			t.Fatal(err)
		}
		l.log.Info(eventRights, "one")
		l.log.Warn(eventListen, "two")
		l.set.Load().electors[0].log().Info(eventRights, "three")
		l.set.Load().electors[0].log().Error(eventNoRights, "four")
		text := log.String()
		for _, event := range []string{"one", "two", "three", "four"} {
			want := logger == nil && (event == "two" || event == "four")
			if strings.Contains(text, event) != want {
				t.Errorf("%s: %s, want %v:\n%s", name, event, want, text)
			}
		}
	}
}
