package registrytest

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/harbordb/harbordb/internal/canary"
)

// The account of the OpenStack server. The same pair signs S3 requests.
const swiftUser = "test:tester"

var swiftKey = canary.New()

// ListingLimit is how many names one answer of the OpenStack server holds at
// most: few, so that tests meet pages without many objects.
const ListingLimit = 100

// OpenStackServer is OpenStack Swift: an account server, a container server,
// an object server and a proxy, which speaks Swift's API and S3.
type OpenStackServer struct {
	AuthURL   string // of TempAuth, version 1
	User, Key string
	// S3 is the endpoint of the S3 API. Containers are its buckets.
	S3                   string
	AccessKey, SecretKey string

	launcher   *launcher
	storage    string // the URL of the account
	token      string
	containers atomic.Int32
}

// OpenStack returns the server that all tests of the binary share.
func OpenStack(t testing.TB) *OpenStackServer {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.openstack == nil {
		s, err := startOpenStack()
		if err != nil {
			t.Fatalf("start OpenStack Swift: %v", err)
		}
		shared.openstack = s
	}
	return shared.openstack
}

func startOpenStack() (*OpenStackServer, error) {
	dir, err := newFolder()
	if err != nil {
		return nil, err
	}
	s, err := launchOpenStack(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.login(); err != nil {
		return nil, errors.Join(err, s.launcher.close())
	}
	return s, nil
}

func launchOpenStack(dir string) (*OpenStackServer, error) {
	ports, err := freePorts(5)
	if err != nil {
		return nil, err
	}
	account, err := swiftAccount(dir)
	if err != nil {
		return nil, err
	}
	c := cluster{dir: dir, account: account, proxy: ports[3], memcached: ports[4]}
	memcached, err := program("memcached")
	if err != nil {
		return nil, err
	}
	if err := c.addRings(ports[:3]); err != nil {
		return nil, err
	}
	programs := []command{{"memcached", memcached, []string{"-u", account, "-l", "127.0.0.1", "-p", strconv.Itoa(c.memcached), "-m", "16"}}}
	up := []func() error{func() error { return listens(c.memcached) }}
	for i, part := range []string{"account", "container", "object"} {
		server, err := c.addPart(part, ports[i])
		if err != nil {
			return nil, err
		}
		programs = append(programs, server)
		up = append(up, func() error { return listens(ports[i]) })
	}
	proxy, err := c.addProxy()
	if err != nil {
		return nil, err
	}
	if err := chownTree(dir, account); err != nil {
		return nil, err
	}
	l, err := start(dir, append(programs, proxy))
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("http://127.0.0.1:%d", c.proxy)
	if err := l.ready(append(up, healthy(address+"/healthcheck"))...); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return &OpenStackServer{
		AuthURL: address + "/auth/v1.0", User: swiftUser, Key: swiftKey,
		S3: address, AccessKey: swiftUser, SecretKey: swiftKey, launcher: l,
	}, nil
}

// swiftAccount is the account that runs the servers: ours, or, because they
// give up the rights of root, the one that their package made.
func swiftAccount(dir string) (string, error) {
	if os.Geteuid() == 0 {
		if _, err := user.Lookup("swift"); err != nil {
			return "", errors.New("the account swift does not exist; run: make deps")
		}
		return "swift", nil
	}
	u, err := user.Current()
	if err != nil {
		return "", err
	}
	return u.Username, nil
}

func chownTree(root, account string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	out, err := exec.Command("chown", "-R", account, root).CombinedOutput()
	if err != nil {
		return fmt.Errorf("chown: %w: %s", err, out)
	}
	return nil
}

// healthy checks that a GET is answered with success.
func healthy(url string) func() error {
	return func() error {
		resp, err := http.Get(url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, resp.Status)
		}
		return nil
	}
}

// cluster writes the configuration of one node that is the whole cluster.
type cluster struct {
	dir, account     string
	proxy, memcached int
}

func (c cluster) write(name, content string) (string, error) {
	path := filepath.Join(c.dir, name)
	err := os.WriteFile(path, []byte(content), 0o644)
	return path, err
}

// rings is the program that tells the proxy where the parts are: on one
// device, each on the port that is its argument.
const rings = `import sys
from swift.common.ring import RingBuilder
for part, port in zip(("account", "container", "object"), sys.argv[2:]):
    builder = RingBuilder(4, 1, 1)
    builder.add_dev(dict(region=1, zone=1, ip="127.0.0.1", port=int(port), replication_ip="127.0.0.1",
                         replication_port=int(port), device="d1", weight=1.0, meta=""))
    builder.rebalance()
    builder.get_ring().save("%s/%s.ring.gz" % (sys.argv[1], part))
`

// addRings runs it, with the Python that has Swift's modules.
func (c cluster) addRings(ports []int) error {
	builder, err := program("swift-ring-builder")
	if err != nil {
		return err
	}
	script, err := os.ReadFile(builder)
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(script), "\n")
	python := strings.Fields(strings.TrimPrefix(first, "#!"))
	if len(python) == 0 {
		return fmt.Errorf("%s names no interpreter", builder)
	}
	args := append(python[1:], "-c", rings, c.dir)
	for _, port := range ports {
		args = append(args, strconv.Itoa(port))
	}
	cmd := exec.Command(python[0], args...)
	cmd.Env = environment(c.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the rings: %w: %s", err, out)
	}
	return nil
}

// addPart configures an account, container or object server.
func (c cluster) addPart(part string, port int) (command, error) {
	server, err := program("swift-" + part + "-server")
	if err != nil {
		return command{}, err
	}
	if err := os.MkdirAll(filepath.Join(c.dir, "node", "d1"), 0o755); err != nil {
		return command{}, err
	}
	path, err := c.write(part+".conf", fmt.Sprintf(`[DEFAULT]
bind_ip = 127.0.0.1
bind_port = %d
workers = 0
user = %s
swift_dir = %s
devices = %s/node
mount_check = false
disable_fallocate = true
recon_cache_path = %s
[pipeline:main]
pipeline = %[6]s-server
[app:%[6]s-server]
use = egg:swift#%[6]s
[%[6]s-replicator]
[%[6]s-auditor]
[%[6]s-updater]
`, port, c.account, c.dir, c.dir, c.dir, part))
	return command{part, server, []string{path}}, err
}

// filters are the parts of the proxy and their settings. The order is that of
// the pipeline: what checks signatures comes before what checks tokens.
var filters = []struct{ name, plugin, settings string }{
	{"catch_errors", "catch_errors", ""},
	{"healthcheck", "healthcheck", ""},
	{"cache", "memcache", "memcache_servers = 127.0.0.1:%d\n"},
	{"listing_formats", "listing_formats", ""},
	{"bulk", "bulk", ""},
	{"s3api", "s3api", fmt.Sprintf("s3_acl = false\nlocation = us-east-1\ncheck_bucket_owner = false\nmax_bucket_listing = %d\n", ListingLimit-1)},
	{"tempauth", "tempauth", "user_test_tester = " + swiftKey + " .admin\n"},
	{"copy", "copy", ""},
	{"slo", "slo", "rate_limit_after_segment = 1000\n"},
	{"dlo", "dlo", ""},
}

// addProxy configures the proxy and what all servers share.
func (c cluster) addProxy() (command, error) {
	server, err := program("swift-proxy-server")
	if err != nil {
		return command{}, err
	}
	_, err = c.write("swift.conf", fmt.Sprintf(`[swift-hash]
swift_hash_path_suffix = end
swift_hash_path_prefix = begin
[swift-constraints]
container_listing_limit = %d
`, ListingLimit))
	if err != nil {
		return command{}, err
	}
	var names []string
	var sections strings.Builder
	for _, f := range filters {
		names = append(names, f.name)
		settings := strings.ReplaceAll(f.settings, "%d", strconv.Itoa(c.memcached))
		fmt.Fprintf(&sections, "[filter:%s]\nuse = egg:swift#%s\n%s", f.name, f.plugin, settings)
	}
	path, err := c.write("proxy.conf", fmt.Sprintf(`[DEFAULT]
bind_ip = 127.0.0.1
bind_port = %d
workers = 0
user = %s
swift_dir = %s
[pipeline:main]
pipeline = %s proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
%s`, c.proxy, c.account, c.dir, strings.Join(names, " "), sections.String()))
	return command{"proxy", server, []string{path}}, err
}

// login gets a token for the set-up of tests.
func (s *OpenStackServer) login() error {
	req, err := http.NewRequest(http.MethodGet, s.AuthURL, nil)
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-User", s.User)
	req.Header.Set("X-Auth-Key", s.Key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	s.token, s.storage = resp.Header.Get("X-Auth-Token"), resp.Header.Get("X-Storage-Url")
	if resp.StatusCode != http.StatusOK || s.token == "" {
		return fmt.Errorf("log in to OpenStack Swift: %s", resp.Status)
	}
	return nil
}
