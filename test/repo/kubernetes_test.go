package repo

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
	"go.yaml.in/yaml/v3"
)

const manifests = "deploy/kubernetes"

// The parts of Kubernetes' objects that the manifests use. A field that is missing here is
// misspelt, or new and needs a check.
type (
	labels   map[string]string
	metadata struct {
		Name        string
		Labels      labels
		Annotations labels
	}
	selector struct {
		MatchLabels labels `yaml:"matchLabels"`
	}
	manifest[S any] struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   metadata
		Spec       S
	}
	port struct {
		Name          string
		Port          any
		TargetPort    string `yaml:"targetPort"`
		ContainerPort int    `yaml:"containerPort"`
		Protocol      string
	}
	probe struct {
		Exec             struct{ Command []string }
		PeriodSeconds    int `yaml:"periodSeconds"`
		TimeoutSeconds   int `yaml:"timeoutSeconds"`
		FailureThreshold int `yaml:"failureThreshold"`
	}
	container struct {
		Name, Image     string
		Args            []string
		Ports           []port
		SecurityContext struct {
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			Capabilities             struct{ Drop []string }
		} `yaml:"securityContext"`
		LivenessProbe  probe `yaml:"livenessProbe"`
		ReadinessProbe probe `yaml:"readinessProbe"`
		Resources      struct{ Requests, Limits labels }
		VolumeMounts   []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	spreadTerm struct {
		TopologyKey       string   `yaml:"topologyKey"`
		LabelSelector     selector `yaml:"labelSelector"`
		MaxSkew           int      `yaml:"maxSkew"`
		WhenUnsatisfiable string   `yaml:"whenUnsatisfiable"`
	}
	pod struct {
		AutomountServiceAccountToken  *bool `yaml:"automountServiceAccountToken"`
		EnableServiceLinks            *bool `yaml:"enableServiceLinks"`
		TerminationGracePeriodSeconds int   `yaml:"terminationGracePeriodSeconds"`
		SecurityContext               struct {
			RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
			RunAsUser      int                   `yaml:"runAsUser"`
			RunAsGroup     int                   `yaml:"runAsGroup"`
			FSGroup        int                   `yaml:"fsGroup"`
			SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
		} `yaml:"securityContext"`
		TopologySpreadConstraints []spreadTerm `yaml:"topologySpreadConstraints"`
		Affinity                  struct {
			PodAntiAffinity struct {
				Preferred []struct {
					Weight          int
					PodAffinityTerm spreadTerm `yaml:"podAffinityTerm"`
				} `yaml:"preferredDuringSchedulingIgnoredDuringExecution"`
			} `yaml:"podAntiAffinity"`
		}
		Containers []container
		Volumes    []struct {
			Name      string
			ConfigMap struct{ Name string } `yaml:"configMap"`
			Secret    struct {
				SecretName  string `yaml:"secretName"`
				DefaultMode int    `yaml:"defaultMode"`
			}
		}
	}
	deployment struct {
		Replicas int
		Strategy struct {
			RollingUpdate struct {
				MaxSurge       int `yaml:"maxSurge"`
				MaxUnavailable int `yaml:"maxUnavailable"`
			} `yaml:"rollingUpdate"`
		}
		Selector selector
		Template struct {
			Metadata metadata
			Spec     pod
		}
	}
	service struct {
		Selector labels
		Ports    []port
	}
	disruptionBudget struct {
		MinAvailable               int `yaml:"minAvailable"`
		Selector                   selector
		UnhealthyPodEvictionPolicy string `yaml:"unhealthyPodEvictionPolicy"`
	}
	networkPolicy struct {
		PodSelector selector `yaml:"podSelector"`
		PolicyTypes []string `yaml:"policyTypes"`
		Ingress     []struct{ Ports []port }
		Egress      []struct{ Ports []port }
	}
	serviceMonitor struct {
		Selector  selector
		Endpoints []struct{ Port, Path, Interval string }
	}
	kustomization struct {
		APIVersion         string `yaml:"apiVersion"`
		Kind               string
		Resources          []string
		ConfigMapGenerator []struct {
			Name  string
			Files []string
		} `yaml:"configMapGenerator"`
		Images []struct {
			Name    string
			NewName string `yaml:"newName"`
			NewTag  string `yaml:"newTag"`
		}
	}
)

// read reads the single object of a manifest. A field that its type lacks is an error.
func read[S any](t *testing.T, file string) S {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(root.Read(t, manifests, file)))
	decoder.KnownFields(true)
	var object S
	if err := decoder.Decode(&object); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		t.Fatalf("%s holds more than one object: %v", file, err)
	}
	return object
}

// check reports each statement that is false.
func check(t *testing.T, statements map[string]bool) {
	t.Helper()
	for what, holds := range statements {
		if !holds {
			t.Errorf("false: %s", what)
		}
	}
}

func isFalse(b *bool) bool { return b != nil && !*b }

func TestManifestsRunTwoUnprivilegedLeaders(t *testing.T) {
	d := read[manifest[deployment]](t, "deployment.yaml").Spec
	p := d.Template.Spec
	if len(p.Containers) != 1 {
		t.Fatalf("%d containers", len(p.Containers))
	}
	c := p.Containers[0]
	image := read[kustomization](t, "kustomization.yaml").Images
	check(t, map[string]bool{
		"two leaders":                   d.Replicas == 2,
		"a rollout takes none away":     d.Strategy.RollingUpdate.MaxUnavailable == 0 && d.Strategy.RollingUpdate.MaxSurge == 1,
		"no token":                      isFalse(p.AutomountServiceAccountToken),
		"not as root":                   p.SecurityContext.RunAsNonRoot && p.SecurityContext.RunAsUser > 0 && p.SecurityContext.RunAsGroup > 0,
		"seccomp":                       p.SecurityContext.SeccompProfile.Type == "RuntimeDefault",
		"no way to more rights":         isFalse(c.SecurityContext.AllowPrivilegeEscalation),
		"a root that is read only":      c.SecurityContext.ReadOnlyRootFilesystem,
		"no capabilities":               slices.Equal(c.SecurityContext.Capabilities.Drop, []string{"ALL"}),
		"bounded memory":                c.Resources.Limits["memory"] != "" && c.Resources.Requests["memory"] != "" && c.Resources.Requests["cpu"] != "",
		"the probe ends first":          c.LivenessProbe.TimeoutSeconds > 3 && c.ReadinessProbe.TimeoutSeconds > 3, // the default of --timeout
		"time to end":                   p.TerminationGracePeriodSeconds >= 20,
		"the image is the kustomized":   len(image) == 1 && image[0].Name == c.Image,
		"the image's user is the pod's": strings.Contains(root.Read(t, "Dockerfile"), "USER "+strconv.Itoa(p.SecurityContext.RunAsUser)+":"+strconv.Itoa(p.SecurityContext.RunAsGroup)),
	})
	for _, mount := range c.VolumeMounts {
		if !mount.ReadOnly {
			t.Errorf("%s can be written to", mount.MountPath)
		}
	}
}

func TestManifestsSelectTheLeaders(t *testing.T) {
	d := read[manifest[deployment]](t, "deployment.yaml")
	want := d.Spec.Template.Metadata.Labels
	if len(want) < 2 {
		t.Fatalf("labels %v", want)
	}
	selectors := map[string]labels{
		"deployment":        d.Spec.Selector.MatchLabels,
		"service":           read[manifest[service]](t, "service.yaml").Spec.Selector,
		"service's labels":  read[manifest[service]](t, "service.yaml").Metadata.Labels,
		"disruption budget": read[manifest[disruptionBudget]](t, "disruption.yaml").Spec.Selector.MatchLabels,
		"network policy":    read[manifest[networkPolicy]](t, "network.yaml").Spec.PodSelector.MatchLabels,
		"egress to traces":  read[manifest[networkPolicy]](t, "egress/tracing/network.yaml").Spec.PodSelector.MatchLabels,
		"egress to a proxy": read[manifest[networkPolicy]](t, "egress/proxy/network.yaml").Spec.PodSelector.MatchLabels,
		"service monitor":   read[manifest[serviceMonitor]](t, "monitoring/servicemonitor.yaml").Spec.Selector.MatchLabels,
	}
	for i, term := range d.Spec.Template.Spec.TopologySpreadConstraints {
		selectors["spread "+strconv.Itoa(i)] = term.LabelSelector.MatchLabels
	}
	for i, term := range d.Spec.Template.Spec.Affinity.PodAntiAffinity.Preferred {
		selectors["affinity "+strconv.Itoa(i)] = term.PodAffinityTerm.LabelSelector.MatchLabels
	}
	for what, have := range selectors {
		if !reflect.DeepEqual(have, want) {
			t.Errorf("%s: %v, want %v", what, have, want)
		}
	}
	budget := read[manifest[disruptionBudget]](t, "disruption.yaml").Spec
	check(t, map[string]bool{
		"one stays, and a node can be drained": budget.MinAvailable >= 1 && budget.MinAvailable < d.Spec.Replicas,
		"they are spread":                      len(selectors) == 10,
		"a pod that is not ready does not stop a node from being drained": budget.UnhealthyPodEvictionPolicy == "AlwaysAllow",
	})
}

// probeCommand is how a probe asks a process that listens on a port. Without --address, it would read
// settings that the process may have rejected.
func probeCommand(name, port string) []string {
	return []string{"/catbridge", name, "--address=127.0.0.1:" + port}
}

// The paths, the port and the names in the configuration are those in the manifests.
func TestManifestsAgreeWithTheConfiguration(t *testing.T) {
	var config struct {
		Listen string
		Redis  struct {
			PasswordFile string `yaml:"password_file"`
		}
		SDKKeyFile string `yaml:"sdk_key_file"`
	}
	if err := yaml.Unmarshal([]byte(root.Read(t, manifests, "catbridge.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	_, listen, err := net.SplitHostPort(config.Listen)
	if err != nil {
		t.Fatal(err)
	}
	pod := read[manifest[deployment]](t, "deployment.yaml").Spec.Template
	c := pod.Spec.Containers[0]
	mounted := map[string]string{}
	for _, mount := range c.VolumeMounts {
		mounted[mount.Name] = mount.MountPath
	}
	svc := read[manifest[service]](t, "service.yaml").Spec
	network := read[manifest[networkPolicy]](t, "network.yaml").Spec
	k := read[kustomization](t, "kustomization.yaml")
	generator := k.ConfigMapGenerator
	volumes := pod.Spec.Volumes
	check(t, map[string]bool{
		"the container's port":       len(c.Ports) == 1 && strconv.Itoa(c.Ports[0].ContainerPort) == listen,
		"the service's port":         len(svc.Ports) == 1 && svc.Ports[0].TargetPort == c.Ports[0].Name,
		"the annotation's port":      pod.Metadata.Annotations["prometheus.io/port"] == listen,
		"the probes' ports":          slices.Equal(c.LivenessProbe.Exec.Command, probeCommand("health", listen)) && slices.Equal(c.ReadinessProbe.Exec.Command, probeCommand("ready", listen)),
		"the policy's port":          len(network.Ingress) == 1 && network.Ingress[0].Ports[0].Port == c.Ports[0].Name,
		"both ways are policed":      slices.Equal(network.PolicyTypes, []string{"Ingress", "Egress"}),
		"the monitor's port":         read[manifest[serviceMonitor]](t, "monitoring/servicemonitor.yaml").Spec.Endpoints[0].Port == svc.Ports[0].Name,
		"the configuration's path":   slices.Contains(c.Args, "--config="+mounted["config"]+"/"+generator[0].Files[0]),
		"the configuration's volume": generator[0].Name == volumes[0].ConfigMap.Name && volumes[0].Name == "config",
		"the secrets' path":          filepath.Dir(config.SDKKeyFile) == mounted["secrets"] && filepath.Dir(config.Redis.PasswordFile) == mounted["secrets"],
		"all files are applied":      slices.Equal(k.Resources, []string{"deployment.yaml", "service.yaml", "disruption.yaml", "network.yaml"}),
	})
}

// TestComponentsLetLeadersReachWhatIsConfigured compares the ports in the network policies
// with those in the examples of deploy/catbridge.yaml.
func TestComponentsLetLeadersReachWhatIsConfigured(t *testing.T) {
	settings := root.Read(t, "deploy/catbridge.yaml")
	base := read[manifest[networkPolicy]](t, "network.yaml")
	for component, setting := range map[string]string{"tracing": "endpoint", "proxy": "proxy_url"} {
		found := regexp.MustCompile(`(?m)^ *# ` + setting + `: https?://[^ :]+:(\d+)`).FindStringSubmatch(settings)
		if found == nil {
			t.Fatalf("no example of %s", setting)
		}
		folder := "egress/" + component + "/"
		k := read[kustomization](t, folder+"kustomization.yaml")
		policy := read[manifest[networkPolicy]](t, folder+"network.yaml")
		ports := policy.Spec.Egress
		check(t, map[string]bool{
			component + ": a component":         k.Kind == "Component" && slices.Equal(k.Resources, []string{"network.yaml"}),
			component + ": has its own name":    policy.Metadata.Name != base.Metadata.Name && slices.Equal(policy.Spec.PolicyTypes, []string{"Egress"}),
			component + ": the setting's port":  len(ports) == 1 && len(ports[0].Ports) == 1 && fmt.Sprint(ports[0].Ports[0].Port) == found[1],
			component + ": closed without that": !slices.ContainsFunc(base.Spec.Egress, func(e struct{ Ports []port }) bool { return fmt.Sprint(e.Ports[0].Port) == found[1] }),
		})
	}
}
