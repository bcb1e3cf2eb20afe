package repo

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

// TestExamplesGiveGoRedisALogger looks at every example that makes a client: without one go-redis
// prints an outage's lines to standard error.
func TestExamplesGiveGoRedisALogger(t *testing.T) {
	makes := regexp.MustCompile(`redis\.New\w*Client\(`)
	var seen int
	for _, pattern := range []string{"examples/*/main.go", "examples/*/*/main.go"} {
		files, err := filepath.Glob(root.Path(t, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if makes.Match(text) {
				seen++
				if !strings.Contains(string(text), "redis.SetLogger(") {
					t.Errorf("%s sets no logger", file)
				}
			}
		}
	}
	if seen < 3 {
		t.Errorf("%d examples are seen", seen)
	}
}

// TestExamplesCanLogInToTheComposeRedis compares the settings in examples/README.md with
// docker-compose.yml.
func TestExamplesCanLogInToTheComposeRedis(t *testing.T) {
	text := root.Read(t, "examples/README.md")
	_, playground, found := strings.Cut(text, "docker compose up")
	if !found {
		t.Fatal("the page does not mention docker compose")
	}
	service := compose(t)["webserver"]
	for name, want := range map[string]string{
		"CONFIGCAT_SDK_KEY":   service.Environment["CONFIGCAT_SDK_KEY"],
		"CATBRIDGE_REDIS_URL": strings.Replace(service.Environment["CATBRIDGE_REDIS_URL"], "@redis:", "@localhost:", 1),
	} {
		if !strings.Contains(playground, "export "+name+"="+want+"\n") {
			t.Errorf("%s is not exported as %s", name, want)
		}
	}
}
