package settings

import (
	"testing"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
)

// TestNewlinesAtTheEndOfVariablesAreTrimmed: tools that fill variables from files leave
// them there.
func TestNewlinesAtTheEndOfVariablesAreTrimmed(t *testing.T) {
	s, err := Load(Options{Part: Leader, Variables: Leader, Environ: []string{
		"CATBRIDGE_SDK_KEY=a=" + keyA + "\r\n",
		"CATBRIDGE_REDIS_ADDRESSES=h\n", "CATBRIDGE_REDIS_MODE=sentinel\n", "CATBRIDGE_REDIS_MASTER_NAME=m",
		"CATBRIDGE_REDIS_USERNAME=u\n", "CATBRIDGE_REDIS_PASSWORD=" + password + "\n\n",
		"CATBRIDGE_REDIS_SENTINEL_PASSWORD_ENV=MINE\n", "MINE=" + password + "\n",
		"CATBRIDGE_BASE_URL=https://cdn.example.com\n", "CATBRIDGE_PROXY_URL=http://proxy:3128\r\n",
		"CATBRIDGE_TRACING_ENDPOINT=http://traces:4318\n", "CATBRIDGE_LISTEN=:1\n",
		"CATBRIDGE_WEBHOOK_KEYS_ENV=HOOKS", "HOOKS=secretsecretsecret\n",
		"CATBRIDGE_LOG_LEVEL=\n",
	}})
	if err != nil {
		t.Fatal(err)
	}
	k := s.SDKKeys[0]
	for got, want := range map[string]string{
		k.Key: keyA, k.Name: "a", k.BaseURL: "https://cdn.example.com", k.WebhookKeys[0]: "secretsecretsecret",
		s.Redis.Password: password, s.Redis.SentinelPassword + "!": password + "!", s.ProxyURL: "http://proxy:3128",
		s.Tracing.Endpoint: "http://traces:4318", string(s.Redis.Mode): string(redisurl.Sentinel), s.Log.Level: "info",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	s, err = Load(Options{Part: Redis, Variables: Redis, Environ: []string{"CATBRIDGE_REDIS_URL=redis://u:" + password + "@h:1/2\n"}})
	if err != nil || s.Redis.DB != 2 || s.Redis.Password != password {
		t.Errorf("%+v, %v", s.Redis, err)
	}
}
