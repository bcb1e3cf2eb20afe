package chart

import (
	"encoding/json"
	"maps"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

// rules returns the alert rules of deploy/prometheus.
func rules(t *testing.T) []alertGroup {
	t.Helper()
	var file struct {
		Groups []alertGroup `json:"groups"`
	}
	if err := yaml.UnmarshalStrict([]byte(root.Read(t, "deploy/prometheus/alerts.yml")), &file); err != nil {
		t.Fatal(err)
	}
	return file.Groups
}

func TestTheRulesAreThoseOfDeploy(t *testing.T) {
	have := of[*prometheusRule](render(t, required, topologies["single"], "{prometheusRule: {enabled: true}}"))[0]
	if want := rules(t); len(want) < 4 || !reflect.DeepEqual(have.Spec.Groups, want) {
		t.Errorf("the groups are %+v", have.Spec.Groups)
	}
}

func TestRulesCanBeLeftOutAndLabelled(t *testing.T) {
	const out = "CatbridgeSettingsRejected" // alone in its group
	have := of[*prometheusRule](render(t, required, topologies["single"],
		"{prometheusRule: {enabled: true, labels: {release: prometheus}, alertLabels: {team: flags}, disabledAlerts: ["+out+", CatbridgeNoStandby]}}"))[0]
	if have.Labels["release"] != "prometheus" {
		t.Errorf("labels %v", have.Labels)
	}
	var want []alertGroup
	for _, group := range rules(t) {
		kept := alertGroup{Name: group.Name}
		for _, a := range group.Rules {
			if a.Alert == out || a.Alert == "CatbridgeNoStandby" {
				continue
			}
			a.Labels = maps.Clone(a.Labels)
			a.Labels["team"] = "flags"
			kept.Rules = append(kept.Rules, a)
		}
		if len(kept.Rules) > 0 {
			want = append(want, kept)
		}
	}
	if !reflect.DeepEqual(have.Spec.Groups, want) || len(want) == len(rules(t)) {
		t.Errorf("the groups are %+v, want %+v", have.Spec.Groups, want)
	}
}

func TestTheDashboardIsThatOfDeploy(t *testing.T) {
	c := render(t, required, topologies["single"], cases["monitoring"].values).all["ConfigMap/flags-catbridge-dashboard"].(*corev1.ConfigMap)
	if c.Labels["grafana_dashboard"] != "1" || c.Annotations["grafana_folder"] != "Flags" || len(c.Data) != 1 {
		t.Errorf("labels %v, annotations %v", c.Labels, c.Annotations)
	}
	var have, want any
	if err := json.Unmarshal([]byte(c.Data["catbridge.json"]), &have); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(root.Read(t, "deploy/grafana/dashboards/catbridge.json")), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(have, want) {
		t.Error("the dashboard is another")
	}
}

func TestMonitorsHaveWhatTheProcessesAskFor(t *testing.T) {
	o := render(t, required, topologies["single"], cases["monitoring"].values)
	leader, serve := o.all["ServiceMonitor/flags-catbridge"].(*serviceMonitor), o.all["ServiceMonitor/flags-catbridge-serve"].(*serviceMonitor)
	l, s := leader.Spec.Endpoints[0], serve.Spec.Endpoints[0]
	for what, holds := range map[string]bool{
		"both are selected":    leader.Labels["release"] == "prometheus" && serve.Labels["release"] == "prometheus",
		"both ask for metrics": l.Path == "/metrics" && s.Path == "/metrics" && l.Interval == "15s" && l.ScrapeTimeout == "10s",
		"leaders need nothing": l.Scheme == "" && l.Authorization == nil,
		"serve needs a token":  s.Authorization != nil && s.Authorization.Type == "Bearer" && s.Authorization.Credentials.Name == "metrics" && s.Authorization.Credentials.Key == "token",
		"serve uses TLS":       s.Scheme == "https" && s.TLSConfig["serverName"] == "flags.example.com",
	} {
		if !holds {
			t.Errorf("false: %s", what)
		}
	}
}
