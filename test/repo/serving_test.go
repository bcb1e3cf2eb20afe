package repo

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

type podMonitor struct {
	Selector  selector
	Endpoints []struct {
		Port, Path, Interval string
		Authorization        struct {
			Type        string
			Credentials struct{ Name, Key string }
		}
	} `yaml:"podMetricsEndpoints"`
}

// servePods are the pods of the DaemonSet and of the sidecar, of which only a part is read.
type servePods struct {
	Spec struct {
		Template struct {
			Metadata metadata
			Spec     struct {
				Containers     []serveContainer
				InitContainers []serveContainer `yaml:"initContainers"`
			}
		}
	}
}

type serveContainer struct {
	Ports          []port
	StartupProbe   probe `yaml:"startupProbe"`
	LivenessProbe  probe `yaml:"livenessProbe"`
	ReadinessProbe probe `yaml:"readinessProbe"`
}

func readServe[S any](t *testing.T, file string) (object S) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(root.Read(t, "deploy/serve", file)), &object); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return object
}

// The probes ask the port that serve listens on, and Prometheus scrapes it with a token.
func TestServeIsProbedAndScraped(t *testing.T) {
	var config struct{ Serve struct{ Listen string } }
	if err := yaml.Unmarshal([]byte(root.Read(t, "deploy/serve/serve.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	_, listen, err := net.SplitHostPort(config.Serve.Listen)
	if err != nil {
		t.Fatal(err)
	}
	template := readServe[servePods](t, "daemonset.yaml").Spec.Template
	sidecar := readServe[servePods](t, "sidecar.yaml").Spec.Template
	if len(template.Spec.Containers) != 1 || len(sidecar.Spec.InitContainers) != 1 {
		t.Fatalf("%d and %d containers", len(template.Spec.Containers), len(sidecar.Spec.InitContainers))
	}
	c, sidecarContainer := template.Spec.Containers[0], sidecar.Spec.InitContainers[0]
	monitor := readServe[manifest[podMonitor]](t, "podmonitor.yaml").Spec
	check(t, map[string]bool{
		"the DaemonSet's port":  len(c.Ports) == 1 && c.Ports[0].ContainerPort == 8093 && listen == "8093",
		"its health":            slices.Equal(c.LivenessProbe.Exec.Command, probeCommand("health", listen)),
		"its readiness":         slices.Equal(c.ReadinessProbe.Exec.Command, probeCommand("ready", listen)),
		"the sidecar's start":   slices.Equal(sidecarContainer.StartupProbe.Exec.Command, probeCommand("ready", listen)),
		"the sidecar's health":  slices.Equal(sidecarContainer.LivenessProbe.Exec.Command, probeCommand("health", listen)),
		"the monitor's pods":    len(monitor.Selector.MatchLabels) == 2 && includes(template.Metadata.Labels, monitor.Selector.MatchLabels),
		"the monitor's port":    len(monitor.Endpoints) == 1 && monitor.Endpoints[0].Port == c.Ports[0].Name && monitor.Endpoints[0].Path == "/metrics",
		"the monitor's token":   monitor.Endpoints[0].Authorization.Type == "Bearer" && monitor.Endpoints[0].Authorization.Credentials.Name != "",
		"the secret is created": strings.Contains(root.Read(t, "deploy/serve/podmonitor.yaml"), "secret generic "+monitor.Endpoints[0].Authorization.Credentials.Name+" --from-literal="+monitor.Endpoints[0].Authorization.Credentials.Key+"="),
		"the job's pods":        strings.Contains(root.Read(t, "deploy/serve/prometheus.yml"), "app.kubernetes.io/name=catbridge,app.kubernetes.io/component=serve"),
	})
}

func includes(all, some labels) bool {
	for name, value := range some {
		if all[name] != value {
			return false
		}
	}
	return true
}

var discovery = regexp.MustCompile(`(?m)^    kubernetes_sd_configs:\n(?:      .*\n)+`)

// promtool reads the job of deploy/serve, with fixed targets: Debian builds promtool without
// Kubernetes.
func TestTheJobForServeIsValid(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		promtool, err = exec.LookPath(root.Path(t, "bin/promtool")) // installed by .ci/install-test-tools
	}
	if err != nil {
		missing.Skip(t, "promtool is missing: the Debian package prometheus has it (%v)", err)
	}
	token := filepath.Join(t.TempDir(), "token") // promtool looks for it
	if err := os.WriteFile(token, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "prometheus.yml")
	job := root.Read(t, "deploy/serve/prometheus.yml")
	text := strings.ReplaceAll(discovery.ReplaceAllString(job, "    static_configs:\n      - targets: [localhost]\n"), "/etc/prometheus/catbridge-serve-token", token)
	if !discovery.MatchString(job) || strings.Count(text, token) != 1 {
		t.Errorf("no discovery, or no token:\n%s", job)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "config", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The image's health check asks the ports that the image exposes, and passes if nothing listens there.
func TestTheHealthCheckOfTheImage(t *testing.T) {
	text := root.Read(t, "Dockerfile")
	m := regexp.MustCompile(`(?s)HEALTHCHECK [^\[]*CMD (\[.*?\])`).FindStringSubmatch(text)
	exposed := regexp.MustCompile(`(?m)^EXPOSE (.* .*)$`).FindStringSubmatch(text)
	if m == nil || exposed == nil {
		t.Fatal("the Dockerfile has no health check, or no ports")
	}
	var command []string
	if err := json.Unmarshal([]byte(m[1]), &command); err != nil {
		t.Fatal(err)
	}
	want := []string{"/catbridge", "health", "--if-listening"}
	args := slices.Clone(command[1:])
	for port := range strings.FieldsSeq(exposed[1]) {
		address := "--address=127.0.0.1:" + port
		want = append(want, address)
		// Another program may listen there on this machine.
		args[slices.Index(args, address)] = "--address=" + freeAddress(t)
	}
	if !slices.Equal(command, want) {
		t.Errorf("the health check is %q, want %q", command, want)
	}
	if out, err := exec.CommandContext(t.Context(), program.Path(t), args...).CombinedOutput(); err != nil || strings.Count(string(out), "nothing listens") != 2 {
		t.Errorf("a container that listens nowhere is not healthy: %v\n%s", err, out)
	}
}
