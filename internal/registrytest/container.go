package registrytest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// NewContainer makes an empty container, which is a bucket as well.
func (s *OpenStackServer) NewContainer(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test-%d", s.containers.Add(1))
	s.request(t, http.MethodPut, name, nil, nil)
	return name
}

// Put places an object; headers may make it a large one.
func (s *OpenStackServer) Put(t testing.TB, container, key string, content []byte, headers map[string]string) {
	t.Helper()
	s.request(t, http.MethodPut, container+"/"+escape(key), content, headers)
}

// PutSLO makes a static large object of segments in the same container.
func (s *OpenStackServer) PutSLO(t testing.TB, container, key string, segments ...string) {
	t.Helper()
	var list []string
	for _, segment := range segments {
		list = append(list, fmt.Sprintf(`{"path":"/%s/%s"}`, container, segment))
	}
	body := "[" + strings.Join(list, ",") + "]"
	s.request(t, http.MethodPut, container+"/"+escape(key)+"?multipart-manifest=put", []byte(body), nil)
}

// Remove removes an object, of a large one the object alone.
func (s *OpenStackServer) Remove(t testing.TB, container, key string) {
	t.Helper()
	s.request(t, http.MethodDelete, container+"/"+escape(key), nil, nil)
}

func escape(key string) string {
	parts := strings.Split(key, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// request sends a request to the account, and fails unless it succeeds.
func (s *OpenStackServer) request(t testing.TB, method, path string, body []byte, headers map[string]string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.storage+"/"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", s.token)
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
}
