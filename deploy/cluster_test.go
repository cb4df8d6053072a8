package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// cluster is what a kubelet does for pods of one name space: variables from
// ConfigMaps and Secrets, volumes, and containers one after the other.
type cluster struct {
	*manifests
	volumes map[string]string // by claim
	names   []string          // of services; each is this machine
}

// run runs a pod's containers, and stops at the first that fails, as the init
// containers of a pod do.
func (c *cluster) run(t testing.TB, pod corev1.PodSpec) []result {
	t.Helper()
	volumes := map[string]string{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = c.volume(t, pod, v)
	}
	var all []result
	for _, spec := range containersOf(pod) {
		r := c.container(t, spec, volumes).run(t)
		all = append(all, r)
		if r.code != 0 {
			break
		}
	}
	return all
}

// volume is a folder with what the volume holds.
func (c *cluster) volume(t testing.TB, pod corev1.PodSpec, v corev1.Volume) string {
	t.Helper()
	switch {
	case v.PersistentVolumeClaim != nil:
		folder, ok := c.volumes[v.PersistentVolumeClaim.ClaimName]
		if !ok {
			t.Fatalf("no claim %s", v.PersistentVolumeClaim.ClaimName)
		}
		if pod.SecurityContext.FSGroup != nil {
			giveToGroup(t, folder, *pod.SecurityContext.FSGroup)
		}
		return folder
	case v.ConfigMap != nil:
		folder := t.TempDir()
		for name, content := range c.configMaps[v.ConfigMap.Name].Data {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return folder
	case v.EmptyDir != nil:
		folder := t.TempDir()
		if err := os.Chmod(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		return folder
	}
	t.Fatalf("volume %s: not known here", v.Name)
	return ""
}

// giveToGroup does what fsGroup does to the root of a volume.
func giveToGroup(t testing.TB, folder string, group int64) {
	t.Helper()
	if os.Geteuid() == 0 {
		if err := os.Chown(folder, 0, int(group)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(folder, 0o775|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) container(t testing.TB, spec corev1.Container, volumes map[string]string) container {
	t.Helper()
	out := theImage(t).container(spec.Args...)
	out.readOnly = *spec.SecurityContext.ReadOnlyRootFilesystem
	for _, from := range spec.EnvFrom {
		c.addVariables(t, out.env, from)
	}
	for _, e := range spec.Env {
		out.env[e.Name] = e.Value
	}
	out.mounts = append(out.mounts, hosts(t, c.names...))
	for _, m := range spec.VolumeMounts {
		out.mounts = append(out.mounts, mount{filepath.Join(volumes[m.Name], m.SubPath), m.MountPath, m.ReadOnly})
	}
	return out
}

// variable is what can be a variable's name; other keys of a ConfigMap are
// left out, as app.conf is.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func (c *cluster) addVariables(t testing.TB, env map[string]string, from corev1.EnvFromSource) {
	t.Helper()
	values := map[string]string{}
	if ref := from.ConfigMapRef; ref != nil {
		if c.configMaps[ref.Name] == nil {
			t.Fatalf("no ConfigMap %s", ref.Name)
		}
		values = c.configMaps[ref.Name].Data
	}
	if ref := from.SecretRef; ref != nil {
		secret := c.secrets[ref.Name]
		if secret == nil {
			if ref.Optional == nil || !*ref.Optional {
				t.Fatalf("no Secret %s", ref.Name)
			}
			return
		}
		values = secret.StringData
	}
	for name, value := range values {
		if variable.MatchString(name) {
			env[name] = value
		}
	}
}

// secretTexts are all that must be in no output.
func (c *cluster) secretTexts() []string {
	var all []string
	for _, secret := range c.secrets {
		for name, text := range secret.StringData {
			if text != "" && !strings.HasPrefix(name, "HARBORDB_") {
				all = append(all, text)
			}
		}
	}
	return all
}
