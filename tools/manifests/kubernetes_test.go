package manifests_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/vepverify/vepverify/internal/porttest"
)

// manifests are the objects of deploy/kubernetes.
type manifests struct {
	deployment *appsv1.Deployment
	service    *corev1.Service
	settings   *corev1.ConfigMap
	disruption *policyv1.PodDisruptionBudget
	network    *networkingv1.NetworkPolicy
	secret     *corev1.Secret // an example, which kustomization.yaml leaves out
}

// decode decodes an object. Unknown and duplicate members are errors.
func decode(t *testing.T, yaml []byte) runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme} {
		check(t, add(scheme))
	}
	object, _, err := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true}).Decode(yaml, nil, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, yaml)
	}
	return object
}

// build returns what kustomize makes of deploy/kubernetes, and the example of a Secret.
func build(t *testing.T) *manifests {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(deploy, "kubernetes"))
	check(t, err)
	m := new(manifests)
	for _, resource := range resources.Resources() {
		yaml, err := resource.AsYAML()
		check(t, err)
		m.add(t, decode(t, yaml))
	}
	m.add(t, decode(t, []byte(read(t, "kubernetes/replay.example.yaml"))))
	return m
}

func (m *manifests) add(t *testing.T, object runtime.Object) {
	t.Helper()
	switch o := object.(type) {
	case *appsv1.Deployment:
		m.deployment = o
	case *corev1.Service:
		m.service = o
	case *corev1.ConfigMap:
		m.settings = o
	case *policyv1.PodDisruptionBudget:
		m.disruption = o
	case *networkingv1.NetworkPolicy:
		m.network = o
	case *corev1.Secret:
		m.secret = o
	default:
		t.Fatalf("an object of type %T", object)
	}
}

func (m *manifests) pod() *corev1.PodSpec { return &m.deployment.Spec.Template.Spec }

func (m *manifests) container() *corev1.Container { return &m.pod().Containers[0] }

// env returns the variables of the container.
func (m *manifests) env(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, from := range m.container().EnvFrom {
		switch {
		case from.ConfigMapRef != nil && from.ConfigMapRef.Name == m.settings.Name:
			maps.Copy(all, m.settings.Data)
		case from.SecretRef != nil && from.SecretRef.Name == m.secret.Name:
			maps.Copy(all, m.secret.StringData)
		default:
			t.Errorf("no object has the variables of %+v", from)
		}
	}
	return all
}

// TestKubernetesFiles: each file is decoded strictly, as it is written.
func TestKubernetesFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(deploy, "kubernetes/*.yaml"))
	check(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		check(t, err)
		if filepath.Base(file) != "kustomization.yaml" { // kustomize itself reads that one strictly
			decode(t, data)
		}
	}
	if len(files) != 7 {
		t.Errorf("%d files", len(files))
	}
	build(t)
}

// TestKubernetesSelectors: the selectors select the pods of the Deployment.
func TestKubernetesSelectors(t *testing.T) {
	m := build(t)
	pod := labels.Set(m.deployment.Spec.Template.Labels)
	selectors := map[string]*metav1.LabelSelector{
		"Deployment": m.deployment.Spec.Selector, "PodDisruptionBudget": m.disruption.Spec.Selector, "NetworkPolicy": &m.network.Spec.PodSelector,
		"Service": {MatchLabels: m.service.Spec.Selector},
	}
	for _, c := range m.pod().TopologySpreadConstraints {
		selectors[c.TopologyKey] = c.LabelSelector
	}
	for name, selector := range selectors {
		s, err := metav1.LabelSelectorAsSelector(selector)
		check(t, err)
		if s.Empty() || !s.Matches(pod) {
			t.Errorf("%s selects %q, the pods have %v", name, s, pod)
		}
	}
	if m.service.Name == "vepverify" {
		t.Error("the variables of this Service look like settings")
	}
	if links := m.pod().EnableServiceLinks; links == nil || *links {
		t.Error("the variables of Services are set in the pods")
	}
}

// TestKubernetesPorts: ports that are named exist.
func TestKubernetesPorts(t *testing.T) {
	m := build(t)
	var ports []string
	for _, p := range m.container().Ports {
		ports = append(ports, p.Name)
	}
	used := map[string]intstr.IntOrString{
		"readiness": m.container().ReadinessProbe.HTTPGet.Port, "liveness": m.container().LivenessProbe.HTTPGet.Port,
		"Service": m.service.Spec.Ports[0].TargetPort,
	}
	for _, rule := range m.network.Spec.Ingress {
		used["ingress "+rule.Ports[0].Port.String()] = *rule.Ports[0].Port
	}
	for name, port := range used {
		if !slices.Contains(ports, port.String()) {
			t.Errorf("%s: the container has no port %s", name, port.String())
		}
	}
}

// TestKubernetesService: the service starts with the arguments and the variables of the container,
// and answers to the probes.
func TestKubernetesService(t *testing.T) {
	m := build(t)
	env := m.env(t)
	s := start(t, with(env, "PORT", "0", "VEPVERIFY_METRICS_ADDRESS", porttest.FreeAddr(t), "VEPVERIFY_SHUTDOWN_DELAY", "0s", "VEPVERIFY_REPLAY", "memory"), m.container().Args...)
	for _, probe := range []*corev1.Probe{m.container().ReadinessProbe, m.container().LivenessProbe} {
		if status, body := s.get(probe.HTTPGet.Path); status != 200 || !strings.Contains(body, `"status":"ok"`) {
			t.Errorf("%s: %d %s", probe.HTTPGet.Path, status, body)
		}
	}
	s.expectNoLog("variable unknown", "variable ignored", "not for production")

	delay, err := time.ParseDuration(env["VEPVERIFY_SHUTDOWN_DELAY"])
	check(t, err)
	if grace := time.Duration(*m.pod().TerminationGracePeriodSeconds) * time.Second; grace <= delay+30*time.Second {
		t.Errorf("the service has %s to stop, and needs %s and 30 s", grace, delay)
	}
	probe := m.container().ReadinessProbe
	if unready := time.Duration(probe.PeriodSeconds*probe.FailureThreshold) * time.Second; delay < unready {
		t.Errorf("it stops %s after SIGTERM, and the probe notices that after %s", delay, unready)
	}
}

// TestKubernetesWithSecret: the service starts with the example of a Secret, although that Redis
// does not exist, and is not ready.
func TestKubernetesWithSecret(t *testing.T) {
	m := build(t)
	s := start(t, with(m.env(t), "PORT", "0", "VEPVERIFY_METRICS_ADDRESS", porttest.FreeAddr(t), "VEPVERIFY_SHUTDOWN_DELAY", "0s"), m.container().Args...)
	if status, body := s.get(m.container().ReadinessProbe.HTTPGet.Path); status != 503 {
		t.Errorf("%d %s", status, body)
	}
	if status, body := s.get(m.container().LivenessProbe.HTTPGet.Path); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

// TestKubernetesPodSecurity: the pods fulfil the profile "restricted" of the Pod Security
// Standards.
func TestKubernetesPodSecurity(t *testing.T) {
	m := build(t)
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	check(t, err)
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	template := m.deployment.Spec.Template
	for _, result := range evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec) {
		if !result.Allowed {
			t.Errorf("%s: %s", result.ForbiddenReason, result.ForbiddenDetail)
		}
	}
	c := m.container()
	if ro := c.SecurityContext.ReadOnlyRootFilesystem; ro == nil || !*ro {
		t.Error("the root file system is writable")
	}
	if token := m.pod().AutomountServiceAccountToken; token == nil || *token {
		t.Error("the pods have a token for the API of Kubernetes")
	}
	if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
		t.Error("no resources are reserved")
	}
}
