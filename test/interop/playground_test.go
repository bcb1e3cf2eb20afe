package interop

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// composeService is what docker-compose.yml runs in a container.
type composeService struct {
	Command     []string
	Environment map[string]string
}

// composeServices returns the services of docker-compose.yml, with these values for variables.
func composeServices(t *testing.T, variables map[string]string) map[string]composeService {
	t.Helper()
	text := os.Expand(root.Read(t, "docker-compose.yml"), func(name string) string {
		name, byDefault, _ := strings.Cut(name, ":-")
		if value, set := variables[name]; set {
			return value
		}
		return byDefault
	})
	var file struct{ Services map[string]composeService }
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	return file.Services
}

// startProgram starts catbridge. It ends with the test.
func startProgram(t *testing.T, env []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program.Path(t), args...)
	cmd.Env, cmd.Stderr = env, t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
}

// TestThePageOfThePlaygroundShowsChanges runs examples/page in Chromium as docker-compose.yml has it, without
// Docker: the local CDN, a leader, serve and a web server. The ports are others.
func TestThePageOfThePlaygroundShowsChanges(t *testing.T) {
	t.Parallel()
	chromium := startBrowser(t)
	server, dir := redistest.Start(t), t.TempDir()
	site := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(site.Close)
	port := func(addr string) string { return addr[strings.LastIndex(addr, ":")+1:] }
	serve := &serveProcess{addr: freeAddr(t)}
	services := composeServices(t, map[string]string{"PAGE_PORT": port(site.URL), "SERVE_PORT": port(serve.addr)})
	key := "CATBRIDGE_SDK_KEY=" + services["serve"].Environment["CATBRIDGE_SDK_KEY"]

	// Before there is a config, serve answers with 503.
	for _, arg := range services["serve"].Command {
		serve.args = append(serve.args, strings.Replace(arg, "=/deploy/", "="+root.Path(t, "deploy")+"/", 1))
	}
	serve.env = []string{key, "CATBRIDGE_REDIS_URL=" + server.URL()}
	serve.begin(t)
	script, _, _ := strings.Cut(services["page"].Command[2], " && exec ")
	script = strings.NewReplacer(" /page/", " "+root.Path(t, "examples/page")+"/", " /www/", " "+dir+"/").Replace(script)
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	serve.get(t, "/healthz") // it listens
	pages := group{
		chromium.open(t, page{site: site.URL, fetcher: "none"}),
		chromium.open(t, page{site: strings.Replace(site.URL, "127.0.0.1", "localhost", 1), fetcher: "none"}),
	}
	refused := regexp.MustCompile(`(?m)^catbridge_gateway_other_answers_total\{.*status="503"\} [1-9]`)
	for !refused.Match(serve.get(t, "/metrics")) {
		time.Sleep(10 * time.Millisecond)
	}

	flags, cdn := filepath.Join(t.TempDir(), "flags.json"), freeAddr(t)
	text := root.Read(t, "deploy/flags.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(flags+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(flags+".new", flags); err != nil { // as editors do
			t.Fatal(err)
		}
	}
	write(text)
	startProgram(t, nil, "cdn", "--flags", flags, "--listen", cdn)
	startProgram(t, []string{key, "CATBRIDGE_REDIS_URL=" + server.URL(), "CATBRIDGE_BASE_URL=http://" + cdn}, "leader", "--poll-interval", "1s", "--listen", "127.0.0.1:0")
	show := func(banner string, items float64) {
		t.Helper()
		for _, p := range pages {
			for {
				r := p.read(t)
				t.Logf("%s: %v", p.name, r.Flags)
				if r.Flags["bannerText"].Value == banner && r.Flags["itemsPerPage"].Value == items && len(r.Flags) == 4 {
					break
				}
			}
		}
	}
	show("Free shipping!", 24)
	serve.streaming(t, len(pages))
	write(strings.Replace(text, "Free shipping!", "<b>Other</b> text", 1))
	show("<b>Other</b> text", 24)

	// Another user.
	for _, p := range pages {
		if err := p.write(`{"Email":"jane@example.com","Country":"HU"}`); err != nil {
			t.Fatal(err)
		}
	}
	show("Ingyenes szállítás!", 48)
	write(strings.Replace(text, "szállítás", "kiszállítás", 1))
	show("Ingyenes kiszállítás!", 48)

	credential := regexp.MustCompile(`credential = "([^"]+)"`).FindStringSubmatch(root.Read(t, "examples/page/index.html"))
	if credential == nil {
		t.Fatal("the page has no credential")
	}
	name, _, _ := strings.Cut(credential[1], ".")
	for key, rules := range map[string]bool{name: true, credential[1]: false} {
		if strings.Contains(string(serve.get(t, "/configuration-files/configcat-proxy/"+key+"/config_v6.json")), "Beta testers") != rules {
			t.Errorf("%s shows rules: %t", key, !rules)
		}
	}
}
