package deploy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// manifests are the objects of some files by their names. Of each kind here
// names are unique.
type manifests struct {
	jobs        map[string]*batchv1.Job
	cronJobs    map[string]*batchv1.CronJob
	claims      map[string]*corev1.PersistentVolumeClaim
	configMaps  map[string]*corev1.ConfigMap
	secrets     map[string]*corev1.Secret
	deployments map[string]*appsv1.Deployment
}

func newManifests() *manifests {
	return &manifests{
		map[string]*batchv1.Job{}, map[string]*batchv1.CronJob{}, map[string]*corev1.PersistentVolumeClaim{},
		map[string]*corev1.ConfigMap{}, map[string]*corev1.Secret{}, map[string]*appsv1.Deployment{},
	}
}

// shipped are the manifests of this folder.
func shipped(t testing.TB) *manifests {
	t.Helper()
	m := newManifests()
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	m.read(t, files...)
	return m
}

// read decodes files strictly: a field that Kubernetes does not know, or that
// is there twice, fails.
func (m *manifests) read(t testing.TB, files ...string) {
	t.Helper()
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(content, []byte("\n---\n")) {
			m.add(t, file, document)
		}
	}
}

func (m *manifests) add(t testing.TB, file string, document []byte) {
	t.Helper()
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	switch kind.APIVersion + " " + kind.Kind {
	case "batch/v1 Job":
		strictly(t, file, document, m.jobs)
	case "batch/v1 CronJob":
		strictly(t, file, document, m.cronJobs)
	case "v1 PersistentVolumeClaim":
		strictly(t, file, document, m.claims)
	case "v1 ConfigMap":
		strictly(t, file, document, m.configMaps)
	case "v1 Secret":
		strictly(t, file, document, m.secrets)
	case "apps/v1 Deployment":
		strictly(t, file, document, m.deployments)
	default:
		t.Fatalf("%s: %s %s is not expected here", file, kind.APIVersion, kind.Kind)
	}
}

// object is what all kinds have.
type object[T any] interface {
	*T
	metav1.Object
}

func strictly[T any, P object[T]](t testing.TB, file string, document []byte, into map[string]P) {
	t.Helper()
	p := P(new(T))
	if err := yaml.UnmarshalStrict(document, p); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if p.GetName() == "" || into[p.GetName()] != nil {
		t.Fatalf("%s: the name %q is empty or not the only one", file, p.GetName())
	}
	into[p.GetName()] = p
}

// pods are the pods of all jobs by the job's name.
func (m *manifests) pods() map[string]corev1.PodTemplateSpec {
	all := map[string]corev1.PodTemplateSpec{}
	for name, job := range m.jobs {
		all[name] = job.Spec.Template
	}
	for name, job := range m.cronJobs {
		all[name] = job.Spec.JobTemplate.Spec.Template
	}
	return all
}

func containersOf(pod corev1.PodSpec) []corev1.Container {
	return append(append([]corev1.Container{}, pod.InitContainers...), pod.Containers...)
}

func TestManifestsAreComplete(t *testing.T) {
	m := shipped(t)
	for _, name := range []string{"harbordb-pre-upgrade", "harbordb-backup", "harbordb-restore", "harbordb-orphans"} {
		if _, ok := m.pods()[name]; !ok {
			t.Errorf("no job %s", name)
		}
	}
}

// The chart's own migration job has the weight -5; hooks run in the order of
// their weights, and one that fails ends the upgrade.
func TestPreUpgradeComesBeforeTheMigration(t *testing.T) {
	job := shipped(t).jobs["harbordb-pre-upgrade"]
	if job.Annotations["helm.sh/hook"] != "pre-upgrade" || job.Annotations["helm.sh/hook-weight"] != "-10" {
		t.Errorf("annotations: %v", job.Annotations)
	}
	content, err := os.ReadFile("kubernetes/pre-upgrade.yaml")
	if err != nil || bytes.Contains(content, []byte("{{")) {
		t.Errorf("helm would take it for a template: %v", err)
	}
}

func TestPodsHaveTheLeastRights(t *testing.T) {
	for name, template := range shipped(t).pods() {
		pod := template.Spec
		s := pod.SecurityContext
		if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken || pod.HostNetwork || pod.HostPID {
			t.Errorf("%s: the pod has a token, or sees its host", name)
		}
		if s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || *s.RunAsUser != userID || *s.RunAsGroup != userID ||
			s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: %+v", name, s)
		}
		if pod.RestartPolicy != corev1.RestartPolicyNever {
			t.Errorf("%s: a container that fails starts again for ever", name)
		}
		for _, c := range containersOf(pod) {
			s := c.SecurityContext
			if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem ||
				len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || len(s.Capabilities.Add) > 0 {
				t.Errorf("%s, %s: %+v", name, c.Name, s)
			}
			if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
				t.Errorf("%s, %s: no resources", name, c.Name)
			}
		}
	}
}

// A volume that can be mounted on one node is where the registry's pod is.
func TestOrphansGoToTheNodeOfTheRegistry(t *testing.T) {
	m := shipped(t)
	m.read(t, "testdata/chart/registry.yaml")
	pod := m.pods()["harbordb-orphans"].Spec
	terms := pod.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	if len(terms) != 1 || terms[0].TopologyKey != corev1.LabelHostname {
		t.Fatalf("%+v", terms)
	}
	registry := m.deployments["harbor-registry"].Spec.Template
	for label, value := range terms[0].LabelSelector.MatchLabels {
		if registry.Labels[label] != value {
			t.Errorf("%s=%s is not a label of the registry's pod", label, value)
		}
	}
	for _, v := range registry.Spec.Volumes {
		if v.PersistentVolumeClaim != nil && !claims(pod, v.PersistentVolumeClaim.ClaimName) {
			t.Errorf("the scan does not mount the registry's claim %s", v.PersistentVolumeClaim.ClaimName)
		}
	}
}

func claims(pod corev1.PodSpec, name string) bool {
	for _, v := range pod.Volumes {
		if v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == name {
			return true
		}
	}
	return false
}

// The line of the README that renames is run, and then nothing of a release
// named harbor is left.
func TestManifestsCanBeRenamed(t *testing.T) {
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("kubernetes")); err != nil {
		t.Fatal(err)
	}
	shell(t, folder, lineOf(t, "kubernetes/README.md", "sed -i "))
	files, err := filepath.Glob(folder + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := newManifests()
	m.read(t, files...)
	for name, template := range m.pods() {
		for _, c := range containersOf(template.Spec) {
			for _, from := range c.EnvFrom {
				if strings.HasPrefix(referred(from), "harbor-") {
					t.Errorf("%s, %s: %s", name, c.Name, referred(from))
				}
			}
		}
		if a := template.Spec.Affinity; a != nil && a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0].LabelSelector.MatchLabels["release"] != "reg" {
			t.Errorf("%s: affinity to another release", name)
		}
	}
	scan := m.pods()["harbordb-orphans"].Spec
	if !claims(scan, "reg-harbor-registry") || !claims(m.pods()["harbordb-backup"].Spec, "harbordb-store") {
		t.Error("a claim has a wrong name")
	}
}

// referred names what variables come from.
func referred(from corev1.EnvFromSource) string {
	if from.ConfigMapRef != nil {
		return from.ConfigMapRef.Name
	}
	return from.SecretRef.Name
}

// lineOf is the one line of a file that begins so.
func lineOf(t testing.TB, file, begin string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, begin) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s has %d lines that begin with %q", file, len(found), begin)
	}
	return found[0]
}
