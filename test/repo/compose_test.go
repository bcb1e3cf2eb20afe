package repo

import (
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
	"go.yaml.in/yaml/v3"
)

type composeService struct {
	Image string
	Build struct{ Context, Target string }
	// Command is one string or a list.
	Command     any
	Environment map[string]string
	Volumes     []string
	Ports       []string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	Profiles    []string
	Restart     string
	DependsOn   any `yaml:"depends_on"` // a list or a map
}

func compose(t *testing.T) map[string]composeService {
	t.Helper()
	text := root.Read(t, "docker-compose.yml")
	var file struct{ Services map[string]composeService }
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	return file.Services
}

// TestComposeFileReferencesExist checks that the users, folders, stages of the Dockerfile
// and scraped hosts that docker-compose.yml names exist.
func TestComposeFileReferencesExist(t *testing.T) {
	services := compose(t)
	users := root.Read(t, "deploy/acl/single.acl")
	own, logins := 0, 0
	for name, s := range services {
		if target := s.Build.Target; target != "" {
			own++
			if !strings.Contains(root.Read(t, "Dockerfile"), " AS "+target+"\n") {
				t.Errorf("%s: the Dockerfile has no stage %s", name, target)
			}
		}
		if folder := s.Build.Context; folder != "" && folder != "." {
			if _, err := os.Stat(root.Path(t, folder, "Dockerfile")); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if s.Build.Context != "" || s.Build.Target != "" || name == "redis" || name == "page" {
			if !s.ReadOnly || !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
				t.Errorf("%s may do more than it must", name)
			}
		}
		if address := s.Environment["CATBRIDGE_REDIS_URL"]; address != "" {
			logins++
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			password, _ := u.User.Password()
			if !strings.Contains(users, "user "+u.User.Username()+" on ") || password != u.User.Username() {
				t.Errorf("%s logs in as %s, which is not a user of the playground", name, u.User)
			}
			if _, ok := services[u.Hostname()]; !ok {
				t.Errorf("%s: no service %s", name, u.Hostname())
			}
		}
		if s.Build.Context == "" && !pinnedImage.MatchString(s.Image) {
			t.Errorf("%s: the version of the image %s is open", name, s.Image)
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if _, err := os.Stat(root.Path(t, source)); err != nil || !strings.HasSuffix(volume, ":ro") {
				t.Errorf("%s mounts %s: %v", name, volume, err)
			}
		}
		for _, port := range s.Ports {
			if !configurablePort.MatchString(port) {
				t.Errorf("%s is open to the network, or its port cannot be chosen: %s", name, port)
			}
		}
	}
	if own < 6 || logins < 5 {
		t.Errorf("%d services of our own, %d that log in", own, logins)
	}
	for _, name := range scraped(t) {
		if _, ok := services[name]; !ok {
			t.Errorf("Prometheus scrapes %s, which is not a service", name)
		}
	}
}

var pinnedImage = regexp.MustCompile(`:v?\d+\.\d+[-.\w]*$`)

var configurablePort = regexp.MustCompile(`^127\.0\.0\.1:\$\{[A-Z0-9_]+_PORT:-\d+}:\d+$`)

// TestComposeRestartsServicesButNotTools checks that the engine restarts all services, and
// that a tool that is run by hand starts no service that was stopped.
func TestComposeRestartsServicesButNotTools(t *testing.T) {
	text := root.Read(t, "docker-compose.yml")
	head, _, _ := strings.Cut(text, "\nx-environment")
	tools := 0
	for name, s := range compose(t) {
		if len(s.Profiles) == 0 {
			if s.Restart != "unless-stopped" {
				t.Errorf("%s: restart is %q", name, s.Restart)
			}
		} else {
			tools++
			if list, ok := s.DependsOn.([]any); !ok || len(list) > 0 || s.Restart != "no" {
				t.Errorf("%s starts %v, and restarts: %s", name, s.DependsOn, s.Restart)
			}
		}
		for _, port := range s.Ports {
			variable, _, _ := strings.Cut(strings.TrimPrefix(port, "127.0.0.1:${"), ":")
			if !strings.Contains(head, "$"+variable) {
				t.Errorf("the comment at the top of the file does not mention $%s", variable)
			}
		}
	}
	if tools == 0 {
		t.Error("no service is run by hand")
	}
}

// scraped returns the hosts that deploy/prometheus/prometheus.yml names.
func scraped(t *testing.T) []string {
	t.Helper()
	text := root.Read(t, "deploy/prometheus/prometheus.yml")
	var config struct {
		ScrapeConfigs []struct {
			DNS []struct{ Names []string } `yaml:"dns_sd_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, scrape := range config.ScrapeConfigs {
		for _, dns := range scrape.DNS {
			names = append(names, dns.Names...)
		}
	}
	if len(names) == 0 {
		t.Error("Prometheus scrapes nothing")
	}
	return names
}

// The service on the official SDK for Node uses serve, under a name that it has, without a token.
func TestTheNodeServiceOfThePlaygroundUsesServe(t *testing.T) {
	services := compose(t)
	node, serve := services["node"], services["serve"]
	base, err := url.Parse(node.Environment["CONFIGCAT_BASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(serve.Environment["CATBRIDGE_SDK_KEY"], "=")
	command, _ := serve.Command.([]any)
	check(t, map[string]bool{
		"the base URL is serve's":    base.Hostname() == "serve" && slices.Contains(command, any("--listen=:"+base.Port())),
		"serve accepts names":        slices.Contains(command, any("--open-names")),
		"the name is that of serve":  name != "" && node.Environment["CONFIGCAT_SDK_KEY"] == "configcat-proxy/"+name,
		"the example is what is run": node.Build.Context == "examples/node",
	})
}

// The page is examples/page, which needs no other host than serve, and gets the port of serve. Its token may only evaluate
// and stream, and serve lets exactly its origins read.
func TestThePageOfThePlaygroundUsesServe(t *testing.T) {
	services := compose(t)
	page, serve := services["page"], services["serve"]
	text := root.Read(t, "examples/page/index.html")
	port := func(s composeService) string { // as the host has it, or ""
		if len(s.Ports) != 1 {
			return ""
		}
		chosen, _, _ := strings.Cut(strings.TrimPrefix(s.Ports[0], "127.0.0.1:"), "}:")
		return chosen + "}"
	}
	command, _ := serve.Command.([]any)
	var origins []string
	for _, arg := range command {
		if origin, ok := strings.CutPrefix(arg.(string), "--origin="); ok {
			origins = append(origins, origin)
		}
	}
	own, _ := page.Command.([]any)
	if len(own) != 3 {
		t.Fatalf("the command of the page is %q", page.Command)
	}
	credential := regexp.MustCompile(`credential = "([^".]+)\.([^"]+)"`).FindStringSubmatch(text)
	if credential == nil {
		t.Fatal("the page has no credential")
	}
	name, _, _ := strings.Cut(serve.Environment["CATBRIDGE_SDK_KEY"], "=")
	hosts := regexp.MustCompile(`(?:https?:)?//[\w.]+[\w:.]*`).FindAllString(text, -1)
	check(t, map[string]bool{
		"the origins are those of the page": slices.Equal(origins, []string{"http://localhost:" + port(page), "http://127.0.0.1:" + port(page)}),
		"the page is the example":           slices.Equal(page.Volumes, []string{"./examples/page:/page:ro"}),
		"the page has the port of serve":    strings.Contains(own[2].(string), "sed 's/127.0.0.1:8093/127.0.0.1:"+port(serve)+"/' /page/index.html"),
		"the page knows only serve":         slices.Equal(hosts, []string{"http://127.0.0.1:8093"}),
		"the page loads no other file":      !strings.Contains(text, "src=") && !strings.Contains(text, "import"),
		"the name is that of serve":         credential[1] == name,
		"serve has the token":               slices.Contains(command, any("--token-file=/deploy/playground.tokens")) && slices.Contains(serve.Volumes, "./deploy:/deploy:ro"),
		"the token shows no rules":          root.Read(t, "deploy/playground.tokens") == credential[2]+" sdks="+name+" rights=evaluate,stream\n",
	})
}
