package registrytest

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// Between starts a server between a client and the server at target, for what
// a real server will not do on demand. handle gets every request, and passes
// on to forward what it does not answer itself.
func Between(t testing.TB, target string, handle func(w http.ResponseWriter, r *http.Request, forward http.Handler)) (address string) {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // signed, and what a login's answer is made of
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r, forward) }))
	t.Cleanup(server.Close)
	return server.URL
}

// Cut passes a request on, and cuts the connection after the first bytes of
// the answer's body.
func Cut(w http.ResponseWriter, r *http.Request, forward http.Handler, bytes int) {
	answer := httptest.NewRecorder()
	forward.ServeHTTP(answer, r)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	body := answer.Body.Bytes()
	_, _ = w.Write(body[:min(bytes, len(body))]) // the connection is given up anyway
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// Lose passes a request on, and cuts the connection instead of answering.
func Lose(_ http.ResponseWriter, r *http.Request, forward http.Handler) {
	forward.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}
