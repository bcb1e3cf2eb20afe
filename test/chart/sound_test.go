package chart

import (
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/catbridge/catbridge/internal/testenv/program"
)

// workload is a Deployment or a DaemonSet.
type workload struct {
	metav1.Object
	kind     string
	replicas int // 0: one on each node
	selector map[string]string
	pod      corev1.PodTemplateSpec
}

func (w workload) component() string { return w.GetLabels()["app.kubernetes.io/component"] }

// container returns the only container.
func (w workload) container(t testing.TB) corev1.Container {
	t.Helper()
	if len(w.pod.Spec.Containers) != 1 || len(w.pod.Spec.InitContainers) > 0 {
		t.Fatalf("%s has %d containers", w.GetName(), len(w.pod.Spec.Containers))
	}
	return w.pod.Spec.Containers[0]
}

func workloads(o objects) []workload {
	var list []workload
	for _, d := range of[*appsv1.Deployment](o) {
		list = append(list, workload{d, d.Kind, int(*d.Spec.Replicas), d.Spec.Selector.MatchLabels, d.Spec.Template})
	}
	for _, d := range of[*appsv1.DaemonSet](o) {
		list = append(list, workload{d, d.Kind, 0, d.Spec.Selector.MatchLabels, d.Spec.Template})
	}
	return list
}

func includes(all, some map[string]string) bool {
	for name, value := range some {
		if all[name] != value {
			return false
		}
	}
	return len(some) > 0
}

// selected returns the one workload whose pods have the labels.
func selected(t testing.TB, o objects, by metav1.Object, labels map[string]string) workload {
	t.Helper()
	var found []workload
	for _, w := range workloads(o) {
		if includes(w.pod.Labels, labels) {
			found = append(found, w)
		}
	}
	if len(found) != 1 || found[0].GetName() != by.GetName() {
		t.Fatalf("%T %s selects %d workloads", by, by.GetName(), len(found))
	}
	for _, pod := range of[*corev1.Pod](o) { // those of helm test do not serve
		if includes(pod.Labels, labels) {
			t.Errorf("%T %s selects the pod %s", by, by.GetName(), pod.Name)
		}
	}
	return found[0]
}

func TestObjectsSelectEachOther(t *testing.T) {
	forEachCase(t, func(t *testing.T, _ string, o objects) {
		for _, w := range workloads(o) {
			if !maps.Equal(w.selector, selected(t, o, w, w.selector).selector) || len(w.selector) != 3 {
				t.Errorf("%s selects %v", w.GetName(), w.selector)
			}
			for _, c := range w.pod.Spec.TopologySpreadConstraints {
				if c.LabelSelector.MatchLabels != nil && !maps.Equal(c.LabelSelector.MatchLabels, w.selector) {
					t.Errorf("%s is spread by %v", w.GetName(), c.LabelSelector.MatchLabels)
				}
			}
		}
		for _, s := range of[*corev1.Service](o) {
			port := selected(t, o, s, s.Spec.Selector).container(t).Ports[0]
			if len(s.Spec.Ports) != 1 || s.Spec.Ports[0].TargetPort != intstr.FromString(port.Name) || s.Spec.Ports[0].Name != port.Name {
				t.Errorf("Service %s: ports %v", s.Name, s.Spec.Ports)
			}
		}
		for _, p := range of[*policyv1.PodDisruptionBudget](o) {
			w := selected(t, o, p, p.Spec.Selector.MatchLabels)
			least, most := p.Spec.MinAvailable, p.Spec.MaxUnavailable
			if (least == nil) == (most == nil) || w.replicas < 2 || least != nil && (least.IntValue() < 1 || least.IntValue() >= w.replicas) ||
				p.Spec.UnhealthyPodEvictionPolicy == nil || *p.Spec.UnhealthyPodEvictionPolicy != policyv1.AlwaysAllow {
				t.Errorf("PodDisruptionBudget %s of %d pods: %+v", p.Name, w.replicas, p.Spec)
			}
		}
		for _, p := range of[*networkingv1.NetworkPolicy](o) {
			w := selected(t, o, p, p.Spec.PodSelector.MatchLabels)
			if len(p.Spec.PolicyTypes) != 2 || len(p.Spec.Ingress) != 1 || len(p.Spec.Ingress[0].Ports) != 1 || p.Spec.Ingress[0].Ports[0].Port.StrVal != w.container(t).Ports[0].Name {
				t.Errorf("NetworkPolicy %s: %+v", p.Name, p.Spec)
			}
		}
		for _, m := range of[*serviceMonitor](o) {
			if s, ok := o.all["Service/"+m.Name].(*corev1.Service); !ok || !includes(s.Labels, m.Spec.Selector.MatchLabels) || m.Spec.Endpoints[0].Port != s.Spec.Ports[0].Name {
				t.Errorf("ServiceMonitor %s selects no Service", m.Name)
			}
		}
		for _, i := range of[*networkingv1.Ingress](o) {
			for _, rule := range i.Spec.Rules {
				for _, p := range rule.HTTP.Paths {
					if s, ok := o.all["Service/"+p.Backend.Service.Name].(*corev1.Service); !ok || s.Name != i.Name || s.Spec.Ports[0].Name != p.Backend.Service.Port.Name || *p.PathType != networkingv1.PathTypePrefix {
						t.Errorf("Ingress %s: %s leads nowhere", i.Name, p.Path)
					}
				}
			}
		}
		for _, r := range of[*httpRoute](o) {
			for _, backend := range r.Spec.Rules[0].BackendRefs {
				if s, ok := o.all["Service/"+backend.Name].(*corev1.Service); !ok || s.Name != r.Name || s.Spec.Ports[0].Port != backend.Port {
					t.Errorf("HTTPRoute %s leads nowhere", r.Name)
				}
			}
		}
	})
}

func TestObjectsAreLabelled(t *testing.T) {
	forEachCase(t, func(t *testing.T, name string, o objects) {
		for kind, object := range o.all {
			labels := object.GetLabels()
			for _, label := range []string{"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"} {
				if labels[label] == "" {
					t.Errorf("%s has no label %s", kind, label)
				}
			}
			if object.GetNamespace() != namespace || labels["app.kubernetes.io/instance"] != release {
				t.Errorf("%s is in %s, of %s", kind, object.GetNamespace(), labels["app.kubernetes.io/instance"])
			}
			if name == "names" && labels["team"] != "flags" {
				t.Errorf("%s lacks the common labels", kind)
			}
		}
	})
}

func isFalse(b *bool) bool { return b != nil && !*b }
func isTrue(b *bool) bool  { return b != nil && *b }

func TestPodsAreUnprivileged(t *testing.T) {
	forEachCase(t, func(t *testing.T, name string, o objects) {
		pods := map[string]corev1.PodSpec{}
		for _, w := range workloads(o) {
			pods[w.GetName()] = w.pod.Spec
		}
		for _, pod := range of[*corev1.Pod](o) {
			pods[pod.Name] = pod.Spec
		}
		account := o.all["ServiceAccount/"+pods[slices.Sorted(maps.Keys(pods))[0]].ServiceAccountName]
		if account != nil && !isFalse(account.(*corev1.ServiceAccount).AutomountServiceAccountToken) {
			t.Error("the service account's token is mounted")
		}
		for of, p := range pods {
			s, c := p.SecurityContext, p.Containers[0].SecurityContext
			for what, holds := range map[string]bool{
				"no token":                 isFalse(p.AutomountServiceAccountToken) && (account != nil || name == "least" && p.ServiceAccountName == "default"),
				"no variables of Services": isFalse(p.EnableServiceLinks),
				"not as root":              isTrue(s.RunAsNonRoot) && (name == "pods" && s.RunAsUser == nil || *s.RunAsUser == 65532 && *s.RunAsGroup == 65532 && *s.FSGroup == 65532),
				"seccomp":                  s.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault,
				"no way to more rights":    isFalse(c.AllowPrivilegeEscalation) && slices.Equal(c.Capabilities.Drop, []corev1.Capability{"ALL"}),
				"a read-only root":         isTrue(c.ReadOnlyRootFilesystem),
				"no host":                  !p.HostNetwork && !p.HostPID && !p.HostIPC,
			} {
				if !holds {
					t.Errorf("%s: false: %s", of, what)
				}
			}
			for _, mount := range p.Containers[0].VolumeMounts {
				if !mount.ReadOnly && mount.MountPath != "/var/lib/catbridge" && mount.MountPath != "/extra" {
					t.Errorf("%s can write to %s", of, mount.MountPath)
				}
				if !slices.ContainsFunc(p.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name }) {
					t.Errorf("%s mounts %s, which is not a volume", of, mount.Name)
				}
			}
			for _, v := range p.Volumes {
				if v.ConfigMap != nil && o.all["ConfigMap/"+v.ConfigMap.Name] == nil {
					t.Errorf("%s needs the ConfigMap %s", of, v.ConfigMap.Name)
				}
			}
		}
	})
}

// settings returns the settings in the ConfigMap of a workload.
func settings(t testing.TB, o objects, name string) map[string]any {
	t.Helper()
	config, ok := o.all["ConfigMap/"+name].(*corev1.ConfigMap)
	if !ok {
		t.Fatalf("no ConfigMap %s", name)
	}
	var all map[string]any
	if err := yaml.UnmarshalStrict([]byte(config.Data["catbridge.yaml"]), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// listen returns the port that the settings of a component name.
func listen(settings map[string]any, component string) string {
	if component == "serve" {
		settings = settings["serve"].(map[string]any)
	}
	return strings.TrimPrefix(settings["listen"].(string), ":")
}

func TestProbesAskWhereTheProcessListens(t *testing.T) {
	forEachCase(t, func(t *testing.T, _ string, o objects) {
		for _, w := range workloads(o) {
			c := w.container(t)
			port := listen(settings(t, o, w.GetName()), w.component())
			for what, holds := range map[string]bool{
				"the port":      len(c.Ports) == 1 && strconv.Itoa(int(c.Ports[0].ContainerPort)) == port,
				"health":        slices.Equal(c.LivenessProbe.Exec.Command, []string{"/catbridge", "health", "--address=127.0.0.1:" + port}),
				"readiness":     slices.Equal(c.ReadinessProbe.Exec.Command, []string{"/catbridge", "ready", "--address=127.0.0.1:" + port}),
				"they end":      c.LivenessProbe.TimeoutSeconds > 3 && c.ReadinessProbe.TimeoutSeconds > 3, // the default of --timeout
				"time to end":   *w.pod.Spec.TerminationGracePeriodSeconds >= 20,
				"the command":   slices.Equal(c.Args, []string{w.component(), "--config=/etc/catbridge/catbridge.yaml"}) && len(c.Command) == 0,
				"the checksum":  len(w.pod.Annotations["checksum/config"]) == 64,
				"one scrape":    (w.pod.Annotations["prometheus.io/port"] == port) == (w.component() == "leader" && len(of[*serviceMonitor](o)) == 0 && !metricsOff(settings(t, o, w.GetName()))),
				"the container": c.Name == w.component(),
			} {
				if !holds {
					t.Errorf("%s: false: %s", w.GetName(), what)
				}
			}
		}
	})
}

func metricsOff(settings map[string]any) bool {
	metrics, ok := settings["metrics"].(map[string]any)
	return ok && metrics["enabled"] == false
}

// The program has the commands and flags of all containers and probes.
func TestTheProgramKnowsEveryCommand(t *testing.T) {
	catbridge := program.Path(t)
	seen := map[string]bool{}
	for _, c := range cases {
		redis := "single"
		if len(c.redis) > 0 {
			redis = c.redis[0]
		}
		o := render(t, required, topologies[redis], c.values)
		for _, w := range workloads(o) {
			c := w.container(t)
			seen[strings.Join(c.Args, " ")] = true
			for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe} {
				seen[strings.Join(probe.Exec.Command[1:], " ")] = true
			}
		}
		for _, pod := range of[*corev1.Pod](o) {
			seen[strings.Join(pod.Spec.Containers[0].Args, " ")] = true
		}
	}
	if len(seen) < 8 {
		t.Errorf("commands %q", slices.Sorted(maps.Keys(seen)))
	}
	for command := range seen {
		out, err := exec.CommandContext(t.Context(), catbridge, append(strings.Fields(command), "--help")...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "catbridge "+strings.Fields(command)[0]) {
			t.Errorf("catbridge %s: %v\n%s", command, err, out)
		}
	}
}

// secretFile matches the files from Secrets that the settings name.
var secretFile = regexp.MustCompile(`/run/secrets/catbridge/([\w.-]+)`)

// The settings name every file that is mounted, and no other.
func TestSettingsNameTheFilesOfSecrets(t *testing.T) {
	forEachCase(t, func(t *testing.T, _ string, o objects) {
		for _, w := range workloads(o) {
			text := o.all["ConfigMap/"+w.GetName()].(*corev1.ConfigMap).Data["catbridge.yaml"]
			named, mounted, whole := map[string]bool{}, map[string]bool{}, false
			for _, m := range secretFile.FindAllStringSubmatch(text, -1) {
				named[m[1]] = true
			}
			for _, source := range sources(w.pod.Spec) {
				whole = whole || len(source.Items) == 0
				for _, item := range source.Items {
					if mounted[item.Path] {
						t.Errorf("%s: two keys are the file %s", w.GetName(), item.Path)
					}
					mounted[item.Path] = true
				}
			}
			for file := range named {
				if !mounted[file] && !whole {
					t.Errorf("%s: the settings name %s, which is not mounted", w.GetName(), file)
				}
			}
			for file := range mounted {
				if !named[file] {
					t.Errorf("%s: no setting names %s", w.GetName(), file)
				}
			}
			if len(named) == 0 {
				t.Errorf("%s: no setting names a Secret", w.GetName())
			}
		}
	})
}

// sources returns the Secrets of the volume secrets.
func sources(p corev1.PodSpec) []*corev1.SecretProjection {
	var list []*corev1.SecretProjection
	for _, v := range p.Volumes {
		if v.Name != "secrets" {
			continue
		}
		for _, source := range v.Projected.Sources {
			list = append(list, source.Secret)
		}
	}
	return list
}

func TestEachComponentHasItsOwnSecrets(t *testing.T) {
	o := render(t, required, topologies["sentinel"], cases["all secrets"].values)
	have := map[string][]string{}
	for _, w := range workloads(o) {
		for _, source := range sources(w.pod.Spec) {
			have[w.component()] = append(have[w.component()], fmt.Sprintf("%s of %s.%s", source.Items[0].Path, source.Name, source.Items[0].Key))
		}
		slices.Sort(have[w.component()])
	}
	redis := []string{
		"redis-ca.crt of redis-tls.ca.crt", "redis-client.crt of redis-tls.tls.crt", "redis-client.key of redis-tls.tls.key",
	}
	both := []string{"sdk-keys of keys.sdk-keys", "sentinel-password of all.sentinel-password", "webhook-keys of all.webhook-keys"}
	want := map[string][]string{
		"leader": slices.Concat(redis, both, []string{"redis-password of of-leaders.password"}),
		"serve": slices.Concat(redis, both, []string{
			"event-keys of all.event-keys", "redis-password of of-serve.redis-password", "serve-client-ca.crt of serve-tls.ca.crt",
			"serve-tokens of all.serve-tokens", "serve.crt of serve-tls.tls.crt", "serve.key of serve-tls.tls.key",
		}),
	}
	for component := range want {
		slices.Sort(want[component])
		if !slices.Equal(have[component], want[component]) {
			t.Errorf("%s: %q,\n  want %q", component, have[component], want[component])
		}
	}
}

func TestOnlyPathsForOthersArePublished(t *testing.T) {
	paths := map[string][]string{}
	o := render(t, required, topologies["single"], cases["Ingress"].values)
	for _, i := range of[*networkingv1.Ingress](o) {
		hosts := []string{}
		for _, rule := range i.Spec.Rules {
			hosts = append(hosts, rule.Host)
			paths[i.Name] = nil
			for _, p := range rule.HTTP.Paths {
				paths[i.Name] = append(paths[i.Name], p.Path)
			}
		}
		if i.Name == "flags-catbridge" && (*i.Spec.IngressClassName != "nginx" || i.Spec.TLS[0].SecretName != "hooks-tls" || !slices.Equal(hosts, i.Spec.TLS[0].Hosts)) {
			t.Errorf("%+v", i.Spec)
		}
		if i.Name == "flags-catbridge-serve" && !slices.Equal(hosts, []string{"flags.example.com", "www.example.com"}) {
			t.Errorf("hosts %q", hosts)
		}
	}
	for _, r := range of[*httpRoute](render(t, required, topologies["single"], cases["HTTPRoute"].values)) {
		for _, match := range r.Spec.Rules[0].Matches {
			if match.Path.Type != "PathPrefix" {
				t.Errorf("a match by %s", match.Path.Type)
			}
			paths["route "+r.Name] = append(paths["route "+r.Name], match.Path.Value)
		}
	}
	sdks := []string{"/configuration-files/", "/api/", "/sse/", "/ofrep/"}
	want := map[string][]string{
		"flags-catbridge": {"/hook/"}, "flags-catbridge-serve": append(slices.Clone(sdks), "/hook/"),
		"route flags-catbridge": {"/hook/"}, "route flags-catbridge-serve": sdks,
	}
	if !maps.EqualFunc(paths, want, slices.Equal) {
		t.Errorf("published: %q, want %q", paths, want)
	}
}

// ports returns the ports that a network policy lets its pods connect to, all as numbers.
func ports(t testing.TB, o objects, name string) []int {
	t.Helper()
	var list []int
	for _, rule := range o.all["NetworkPolicy/"+name].(*networkingv1.NetworkPolicy).Spec.Egress {
		for _, p := range rule.Ports {
			if p.Port.Type != intstr.Int {
				t.Errorf("the port %s is the name of one", p.Port)
			}
			list = append(list, p.Port.IntValue())
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func TestNetworkPoliciesAllowWhatTheSettingsName(t *testing.T) {
	usual, leads := []int{53, 6379, 6380, 26379}, []int{53, 443, 6379, 6380, 26379}
	for _, test := range []struct {
		redis, values, name string
		want                []int
	}{
		{topologies["single"], "{}", "flags-catbridge", append(slices.Clone(leads), 7001)},
		{topologies["sentinel"], "{}", "flags-catbridge", append(slices.Clone(leads), 7002, 7003)},
		{topologies["cluster"], "{}", "flags-catbridge", append(slices.Clone(leads), 7004, 7005)},
		{"{config: {redis: {url: 'rediss://redis.example.com'}}}", "{}", "flags-catbridge", leads},
		{"{config: {redis: {addresses: ['[2001:db8::1234]:7007']}}}", "{}", "flags-catbridge", append(slices.Clone(leads), 7007)},
		{topologies["single"], cases["settings"].values, "flags-catbridge", append(slices.Clone(leads), 3128, 4318, 7001)},
		{topologies["single"], cases["SDK keys with settings"].values, "flags-catbridge", append(slices.Clone(leads), 7001, 7006)},
		{topologies["single"], "{config: {base_url: 'http://cdn.example.com/flags'}}", "flags-catbridge", append(slices.Clone(leads), 80, 7001)},
		{topologies["single"], cases["serve as a DaemonSet"].values, "flags-catbridge-serve", append(slices.Clone(usual), 7001)},
		{topologies["single"], cases["settings"].values, "flags-catbridge-serve", append(slices.Clone(usual), 443, 3128, 7001)},
		{topologies["single"], cases["pods"].values, "flags-catbridge-serve", []int{53, 7001}},
	} {
		slices.Sort(test.want)
		if have := ports(t, render(t, required, test.redis, test.values), test.name); !slices.Equal(have, test.want) {
			t.Errorf("%s with %s %s: ports %v, want %v", test.name, test.redis, test.values, have, test.want)
		}
	}
}

// A DaemonSet's Service leads to the process on the same node, which is replaced without a gap.
func TestServeOnEachNode(t *testing.T) {
	for name, want := range map[string]string{
		"serve as a Deployment":        "Cluster",
		"serve as a DaemonSet":         "Local, surge 1, unavailable 0, host port 0",
		"serve on a port of the nodes": "Local, surge 0, unavailable 1, host port 8093",
	} {
		o := render(t, required, topologies["single"], cases[name].values)
		have := string(*o.all["Service/flags-catbridge-serve"].(*corev1.Service).Spec.InternalTrafficPolicy)
		for _, d := range of[*appsv1.DaemonSet](o) {
			update := d.Spec.UpdateStrategy.RollingUpdate
			have = fmt.Sprintf("%s, surge %d, unavailable %d, host port %d", have, update.MaxSurge.IntValue(), update.MaxUnavailable.IntValue(), d.Spec.Template.Spec.Containers[0].Ports[0].HostPort)
		}
		if have != want {
			t.Errorf("%s: %s, want %s", name, have, want)
		}
	}
}

func TestPodsTakeWhatTheValuesGive(t *testing.T) {
	o := render(t, required, topologies["single"], cases["pods"].values)
	for _, w := range workloads(o) {
		p, c := w.pod.Spec, w.container(t)
		for what, holds := range map[string]bool{
			"image":          c.Image == "registry.example.com/catbridge@sha256:"+strings.Repeat("0a", 32) && c.ImagePullPolicy == corev1.PullAlways,
			"pull secret":    len(p.ImagePullSecrets) == 1 && p.ImagePullSecrets[0].Name == "registry",
			"labels":         w.pod.Labels["team"] == "flags" && w.pod.Annotations["a"] == "b",
			"priority":       p.PriorityClassName == "high",
			"nodes":          p.NodeSelector["kubernetes.io/arch"] == "arm64" && len(p.Tolerations) == 1,
			"affinity":       p.Affinity.NodeAffinity != nil && p.Affinity.PodAntiAffinity == nil,
			"spread":         len(p.TopologySpreadConstraints) == 1 && p.TopologySpreadConstraints[0].TopologyKey == "rack",
			"time to end":    *p.TerminationGracePeriodSeconds == 60,
			"variables":      len(c.Env) == 1 && c.Env[0].Name == "HTTPS_PROXY" && len(c.EnvFrom) == 1,
			"volumes":        slices.ContainsFunc(p.Volumes, func(v corev1.Volume) bool { return v.Name == "extra" }),
			"mounts":         slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == "extra" }),
			"resources":      len(c.Resources.Limits) == 1 && c.Resources.Limits.Cpu().Value() == 1 && c.Resources.Requests == nil,
			"account":        p.ServiceAccountName == "flags",
			"service":        o.all["Service/"+w.GetName()].(*corev1.Service).Spec.Type == corev1.ServiceTypeNodePort,
			"who may come":   len(o.all["NetworkPolicy/"+w.GetName()].(*networkingv1.NetworkPolicy).Spec.Ingress[0].From) == 1,
			"more egress":    len(o.all["NetworkPolicy/"+w.GetName()].(*networkingv1.NetworkPolicy).Spec.Egress) == 3,
			"update by hand": w.kind != "DaemonSet" || o.all["DaemonSet/"+w.GetName()].(*appsv1.DaemonSet).Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType,
		} {
			if !holds {
				t.Errorf("%s: false: %s", w.GetName(), what)
			}
		}
	}
	d := render(t, required, topologies["single"]).all["Deployment/flags-catbridge"].(*appsv1.Deployment).Spec.Template.Spec
	for what, holds := range map[string]bool{
		"zones":  len(d.TopologySpreadConstraints) == 1 && d.TopologySpreadConstraints[0].TopologyKey == "topology.kubernetes.io/zone",
		"nodes":  len(d.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution) == 1,
		"memory": !d.Containers[0].Resources.Limits.Memory().IsZero(),
	} {
		if !holds {
			t.Errorf("by default: false: %s", what)
		}
	}
}
