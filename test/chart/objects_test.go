package chart

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// The parts of objects of the Prometheus operator and of the Gateway API that the chart uses. A field that is
// missing here is misspelt, or new and needs a check.
type (
	serviceMonitor struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
		Spec              struct {
			Selector  metav1.LabelSelector `json:"selector"`
			Endpoints []struct {
				Port          string         `json:"port"`
				Path          string         `json:"path"`
				Interval      string         `json:"interval"`
				ScrapeTimeout string         `json:"scrapeTimeout"`
				Scheme        string         `json:"scheme"`
				TLSConfig     map[string]any `json:"tlsConfig"`
				Authorization *struct {
					Type        string                   `json:"type"`
					Credentials corev1.SecretKeySelector `json:"credentials"`
				} `json:"authorization"`
			} `json:"endpoints"`
		} `json:"spec"`
	}
	alert struct {
		Alert       string            `json:"alert"`
		Expr        string            `json:"expr"`
		For         string            `json:"for"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	}
	alertGroup struct {
		Name  string  `json:"name"`
		Rules []alert `json:"rules"`
	}
	prometheusRule struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
		Spec              struct {
			Groups []alertGroup `json:"groups"`
		} `json:"spec"`
	}
	httpRoute struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
		Spec              struct {
			ParentRefs []struct {
				Name        string `json:"name"`
				Namespace   string `json:"namespace"`
				SectionName string `json:"sectionName"`
			} `json:"parentRefs"`
			Hostnames []string `json:"hostnames"`
			Rules     []struct {
				Matches []struct {
					Path struct {
						Type  string `json:"type"`
						Value string `json:"value"`
					} `json:"path"`
				} `json:"matches"`
				BackendRefs []struct {
					Name string `json:"name"`
					Port int32  `json:"port"`
				} `json:"backendRefs"`
			} `json:"rules"`
		} `json:"spec"`
	}
)

// kinds are the kinds of the chart's objects.
var kinds = map[string]func() metav1.Object{
	"v1 ConfigMap":                            func() metav1.Object { return new(corev1.ConfigMap) },
	"v1 Pod":                                  func() metav1.Object { return new(corev1.Pod) },
	"v1 Service":                              func() metav1.Object { return new(corev1.Service) },
	"v1 ServiceAccount":                       func() metav1.Object { return new(corev1.ServiceAccount) },
	"apps/v1 DaemonSet":                       func() metav1.Object { return new(appsv1.DaemonSet) },
	"apps/v1 Deployment":                      func() metav1.Object { return new(appsv1.Deployment) },
	"networking.k8s.io/v1 Ingress":            func() metav1.Object { return new(networkingv1.Ingress) },
	"networking.k8s.io/v1 NetworkPolicy":      func() metav1.Object { return new(networkingv1.NetworkPolicy) },
	"policy/v1 PodDisruptionBudget":           func() metav1.Object { return new(policyv1.PodDisruptionBudget) },
	"monitoring.coreos.com/v1 ServiceMonitor": func() metav1.Object { return new(serviceMonitor) },
	"monitoring.coreos.com/v1 PrometheusRule": func() metav1.Object { return new(prometheusRule) },
	"gateway.networking.k8s.io/v1 HTTPRoute":  func() metav1.Object { return new(httpRoute) },
}

// objects are rendered objects by kind and name, such as Deployment/flags-catbridge.
type objects struct {
	all   map[string]metav1.Object
	notes string
}

// names returns kind and name of all objects.
func (o objects) names() []string { return slices.Sorted(maps.Keys(o.all)) }

// of returns all objects of a type.
func of[T metav1.Object](o objects) []T {
	var list []T
	for _, name := range o.names() {
		if object, ok := o.all[name].(T); ok {
			list = append(list, object)
		}
	}
	return list
}

// decode decodes what Helm rendered as the Kubernetes API server does with strict field validation: unknown,
// misspelt and duplicate fields are errors.
func decode(t testing.TB, text string) objects {
	t.Helper()
	o := objects{all: map[string]metav1.Object{}}
	for document := range strings.SplitSeq("\n"+text, "\n---\n") {
		if strings.TrimSpace(document) == "" {
			continue
		}
		object, name, err := decodeOne(document)
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if config, ok := object.(*corev1.ConfigMap); ok && config.Name == notesName {
			o.notes = config.Data["text"]
			continue
		}
		if o.all[name] != nil {
			t.Errorf("duplicate %s", name)
		}
		o.all[name] = object
	}
	return o
}

func decodeOne(document string) (metav1.Object, string, error) {
	data, err := yaml.YAMLToJSONStrict([]byte(document))
	if err != nil {
		return nil, "", err
	}
	var kind metav1.TypeMeta
	if err := json.UnmarshalCaseSensitivePreserveInts(data, &kind); err != nil {
		return nil, "", err
	}
	create := kinds[kind.APIVersion+" "+kind.Kind]
	if create == nil {
		return nil, "", fmt.Errorf("the test does not know the kind %s of %s", kind.Kind, kind.APIVersion)
	}
	object := create()
	unknown, err := json.UnmarshalStrict(data, object)
	if err != nil {
		return nil, "", err
	}
	if len(unknown) > 0 {
		return nil, "", fmt.Errorf("a %s does not have: %w", kind.Kind, unknown[0])
	}
	return object, kind.Kind + "/" + object.GetName(), nil
}

func TestMisspeltFieldsAreDetected(t *testing.T) {
	const head = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n"
	for text, want := range map[string]string{
		head + "spec: {port: 1}":                          `unknown field "spec.port"`,
		head + "spec: {Type: ClusterIP}":                  `unknown field "spec.Type"`,
		head + "spec: {type: ClusterIP, type: ClusterIP}": `already set`,
		head + "spec: {ports: 1}":                         `cannot unmarshal number`,
		"apiVersion: v2\nkind: Service":                   "the test does not know the kind Service of v2",
	} {
		if _, _, err := decodeOne(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, name, err := decodeOne(head + "spec: {type: ClusterIP}"); err != nil || name != "Service/x" {
		t.Errorf("%s: %v", name, err)
	}
}
