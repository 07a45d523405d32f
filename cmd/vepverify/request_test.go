package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/vepauth"
	"github.com/vepverify/vepverify/wellknown"
)

// TestRequest runs testdata/request. The scripts have everything that those of
// TestScript have, and servers that sign in users of idp.example:
//
//	$RP    http://127.0.0.1:port    $RPS   https://127.0.0.1:port, with rp.pem
//	/data        greets the user: OAuth+VEP            /mac/data   MAC+BrowserID
//	/echo        returns the request and user          /bytes      all bytes
//	/status/N    answers with that status              /cut        a part of an answer
//	/open        greets anyone                         /stall      never answers
//	/garbage     answers no HTTP                       /header     answers with a large header
//	/basic       asks for a password                   /elsewhere  names another origin
//	/refuse/N    has a token endpoint that answers with that status, and a reason
//	/echoing     has one that sends back what it receives
func TestRequest(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/request",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			if err := setUp(env); err != nil {
				return err
			}
			return startSites(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "mask": mask, "await": await, "repeat": repeat, "secrets": secrets,
		},
	})
}

func startSites(env *testscript.Env) error {
	keys, err := wellknown.LoadStatic(filepath.Join(env.WorkDir, "keys.json"))
	if err != nil {
		return err
	}
	verifier, err := assertion.NewVerifier(assertion.Config{Keys: keys})
	if err != nil {
		return err
	}
	seen := new(sentSecrets)
	env.Values[secretsKey{}] = seen
	for _, name := range []string{"RP", "RPS"} {
		s := httptest.NewUnstartedServer(nil)
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		origin := "http://" + s.Listener.Addr().String()
		if name == "RPS" {
			origin = "https://" + s.Listener.Addr().String()
		}
		handler, err := site(origin, verifier)
		if err != nil {
			return err
		}
		s.Config.Handler = seen.record(handler)
		if name == "RPS" {
			s.StartTLS()
			certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
			if err := os.WriteFile(filepath.Join(env.WorkDir, "rp.pem"), certificate, 0o600); err != nil {
				return err
			}
		} else {
			s.Start()
		}
		env.Defer(s.Close)
		env.Defer(s.CloseClientConnections) // runs before Close
		env.Setenv(name, origin)
	}
	return nil
}

func site(origin string, verifier *assertion.Verifier) (http.Handler, error) {
	config := vepauth.Config{Audiences: []string{origin}, Verifier: verifier, Logger: slog.New(slog.DiscardHandler)}
	auth, err := vepauth.New(config)
	if err != nil {
		return nil, err
	}
	config.Scheme, config.TokenURL = vepauth.MACBrowserID, "/mac/token"
	mac, err := vepauth.New(config)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/open", greet)
	mux.Handle("/data", auth.Require(http.HandlerFunc(greet)))
	mux.Handle("/mac/", mac.Require(http.HandlerFunc(greet)))
	mux.Handle("/echo", auth.Require(http.HandlerFunc(describe)))
	mux.Handle("/bytes", auth.Require(http.HandlerFunc(allBytes)))
	mux.Handle("/status/{n}", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		w.Header().Set("Location", "/open")
		w.WriteHeader(n)
		fmt.Fprintln(w, "status", n)
	})))
	addFailures(mux)
	return auth.Handler(mux), nil
}

// addFailures adds the routes without an identity, or without a whole answer.
func addFailures(mux *http.ServeMux) {
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprintln(w, "the first line")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/garbage", func(w http.ResponseWriter, r *http.Request) {
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			io.WriteString(c, "SSH-2.0-x\r\n")
			c.Close()
		}
	})
	mux.HandleFunc("/header", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X", strings.Repeat("x", 2<<20)) })
	mux.HandleFunc("/stall", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/basic", challenge(`Basic realm="x"`))
	mux.HandleFunc("/elsewhere", challenge(`OAuth+VEP url="https://evil.example/token"`))
	mux.HandleFunc("/refuse/{n}", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			challenge(`OAuth+VEP url="`+r.URL.Path+`"`)(w, r)
			return
		}
		n, _ := strconv.Atoi(r.PathValue("n"))
		w.WriteHeader(n)
		fmt.Fprint(w, `{"status":"failure","reason":"not\u001b[31m today"}`)
	})
	mux.HandleFunc("/echoing", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			challenge(`OAuth+VEP url="/echoing"`)(w, r)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"reason":"bad assertion: %s"}`, r.FormValue("assertion"))
	})
}

func challenge(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", text)
		http.Error(w, "who are you?", http.StatusUnauthorized)
	}
}

func greet(w http.ResponseWriter, r *http.Request) {
	who := "stranger"
	if id, ok := vepauth.FromContext(r.Context()); ok {
		who = id.Email
	}
	w.Header().Set("X-Greeting", "yes")
	fmt.Fprintln(w, "hello,", who)
}

func describe(w http.ResponseWriter, r *http.Request) {
	id, _ := vepauth.FromContext(r.Context())
	fmt.Fprintln(w, r.Method, r.RequestURI, id.Email)
	for _, name := range []string{"Accept", "Content-Type", "User-Agent", "X-One", "Accept-Encoding"} {
		for _, value := range r.Header.Values(name) {
			fmt.Fprintf(w, "%s: %s\n", name, value)
		}
	}
	fmt.Fprintln(w)
	io.Copy(w, r.Body)
	fmt.Fprintln(w)
}

func allBytes(w http.ResponseWriter, _ *http.Request) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	w.Write(all)
}

// sentSecrets are the secrets in requests and responses.
type sentSecrets struct {
	mu    sync.Mutex
	texts []string
}

func (s *sentSecrets) add(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts = append(s.texts, texts...)
}

type secretsKey struct{}

func (s *sentSecrets) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, part := range strings.FieldsFunc(r.Header.Get("Authorization"), func(c rune) bool { return strings.ContainsRune(`", =`, c) }) {
			if len(part) > 15 && !strings.HasPrefix(part, "oauth_") {
				s.add(part)
			}
		}
		if r.Method == http.MethodPost && r.Header.Get("Authorization") == "" {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if form, err := url.ParseQuery(string(body)); err == nil && form.Has("assertion") {
				s.add(strings.Split(form.Get("assertion"), "~")...)
				w = &tokenRecorder{w, s}
			}
		}
		next.ServeHTTP(w, r)
	})
}

type tokenRecorder struct {
	http.ResponseWriter
	seen *sentSecrets
}

func (w *tokenRecorder) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "algorithm") || strings.Contains(string(b), "oauth_consumer_key") {
		parts := strings.Split(string(b), `"`)
		for i := 3; i < len(parts); i += 4 {
			if len(parts[i]) > 15 {
				w.seen.add(parts[i])
			}
		}
	}
	return w.ResponseWriter.Write(b)
}

// secrets checks that neither standard output nor standard error has any of the
// tokens, secrets, signatures, nonces and assertions that were sent so far. The
// argument is the least number of them.
func secrets(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: secrets NUMBER")
	}
	seen := ts.Value(secretsKey{}).(*sentSecrets)
	least, err := strconv.Atoi(args[0])
	ts.Check(err)
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if len(seen.texts) < least {
		ts.Fatalf("only %d secrets were sent", len(seen.texts))
	}
	for _, text := range seen.texts {
		for _, part := range []string{text, text[:min(len(text), 40)]} {
			if part != "" && strings.Contains(ts.ReadFile("stdout")+ts.ReadFile("stderr"), part) {
				ts.Fatalf("a secret is shown: %s", part)
			}
		}
	}
}
