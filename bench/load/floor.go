package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/verifyapi"
	"github.com/vepverify/vepverify/wellknown"
)

// floorEnv is the environment variable that makes this program the floor: a server that
// reads every request and sends the answer in the file that the variable names.
const floorEnv = "VEPVERIFY_LOAD_FLOOR"

// floorOptions are the flags of the floor.
type floorOptions struct {
	rounds int
}

func (o *floorOptions) flags(f *flag.FlagSet) {
	f.IntVar(&o.rounds, "floor", 0, "compare the service with a handler that only reads and answers, in `ROUNDS` of --duration each; needs wrk")
}

// Floor compares the service with a handler that reads the same requests and writes the
// same answers without verifying: medians of the rounds.
type Floor struct {
	Format     string         `json:"format"`
	Date       time.Time      `json:"date"`
	Machine    report.Machine `json:"machine"`
	Rounds     int            `json:"rounds"`
	Floor      FloorSide      `json:"floor"`
	Service    FloorSide      `json:"service"`
	EngineUS   float64        `json:"engineMicroseconds"`  // of one verification, alone on one core
	MoreUS     float64        `json:"moreMicroseconds"`    // more than the floor for each request, by the clock; median of the rounds' differences
	MoreCPUUS  float64        `json:"moreCPUMicroseconds"` // the same by the processor time of the servers
	BesideUS   float64        `json:"besideEngineMicroseconds"`
	BesideCPUS float64        `json:"besideEngineCPUMicroseconds"`
}

// FloorSide is the result of one of the two servers.
type FloorSide struct {
	PerSecond float64 `json:"perSecond"`
	CPUUS     float64 `json:"cpuMicroseconds"` // processor time of the server for each request
}

func (f Floor) print(out io.Writer) {
	fmt.Fprintf(out, "floor: %.0f requests a second, %.1f µs of processor time each\n", f.Floor.PerSecond, f.Floor.CPUUS)
	fmt.Fprintf(out, "service: %.0f requests a second, %.1f µs of processor time each\n", f.Service.PerSecond, f.Service.CPUUS)
	fmt.Fprintf(out, "more a request: %.1f µs by the clock, %.1f µs of processor time; the engine alone takes %.1f µs; without it: %.1f µs, %.1f µs of processor time\n",
		f.MoreUS, f.MoreCPUUS, f.EngineUS, f.BesideUS, f.BesideCPUS)
}

// measureFloor measures both servers alternately with the same loader.
func measureFloor(ctx context.Context, o options, out io.Writer) (err error) {
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		return fmt.Errorf("--floor needs wrk: %w", err)
	}
	text, keys, err := repeated(o.dir)
	if err != nil {
		return err
	}
	serve, err := startServer(exec.Command(o.binary, "serve", "--keys", keys, "--log-level", "error"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, serve.Stop()) }()
	floor, err := startFloor(ctx, o, serve, text)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, floor.Stop()) }()
	script := filepath.Join(o.dir, "post.lua")
	lua := fmt.Sprintf("wrk.method = \"POST\"\nwrk.body = [==[%s]==]\nwrk.headers[\"Content-Type\"] = \"application/json\"\n", body(text))
	if err := os.WriteFile(script, []byte(lua), 0o600); err != nil {
		return err
	}
	var rounds [2][]FloorSide
	var engine, more, moreCPU []float64
	for range o.floor.rounds {
		us, err := engineTime(keys, text)
		if err != nil {
			return err
		}
		engine = append(engine, us)
		for i, s := range []*service{floor, serve} {
			side, err := s.load(ctx, wrk, script, o)
			if err != nil {
				return err
			}
			rounds[i] = append(rounds[i], side)
		}
		f, s := rounds[0][len(rounds[0])-1], rounds[1][len(rounds[1])-1]
		more = append(more, 1e6/s.PerSecond-1e6/f.PerSecond)
		moreCPU = append(moreCPU, s.CPUUS-f.CPUUS)
	}
	result := Floor{
		Format: "vepverify-floor/1", Date: o.Date, Machine: report.ThisMachine(), Rounds: o.floor.rounds,
		Floor: medianSide(rounds[0]), Service: medianSide(rounds[1]),
		EngineUS: median(engine, same), MoreUS: median(more, same), MoreCPUUS: median(moreCPU, same),
	}
	result.BesideUS, result.BesideCPUS = result.MoreUS-result.EngineUS, result.MoreCPUUS-result.EngineUS
	result.print(out)
	return o.Write("floor.json", func(w io.Writer) error { return report.WriteJSON(w, result) })
}

func same(x float64) float64 { return x }

func medianSide(sides []FloorSide) FloorSide {
	return FloorSide{
		PerSecond: median(sides, func(s FloorSide) float64 { return s.PerSecond }),
		CPUUS:     median(sides, func(s FloorSide) float64 { return s.CPUUS }),
	}
}

// repeated returns an assertion with two RS256 signatures that is valid for 12 hours, and
// the name of a file with the issuer's document.
func repeated(dir string) (text, keys string, err error) {
	now := time.Now()
	idp, user := idptest.New(provider, idptest.Key("RS256")).At(now), idptest.Key("RS256-2")
	until := now.Add(12 * time.Hour).UnixMilli()
	certificate := idp.Certificate("user@"+provider, user.Public()).With("exp", until)
	text = idptest.Backed(certificate, idp.Assertion(workload.Audience, user).With("exp", until))
	document, err := json.Marshal(map[string]json.RawMessage{provider: idp.Document().JSON()})
	if err != nil {
		return "", "", err
	}
	keys = filepath.Join(dir, "keys.json")
	return text, keys, os.WriteFile(keys, document, 0o600)
}

// engineTime returns how long one verification takes, in microseconds.
func engineTime(keys, text string) (float64, error) {
	static, err := wellknown.LoadStatic(keys)
	if err != nil {
		return 0, err
	}
	v, err := assertion.NewVerifier(assertion.Config{Keys: static})
	if err != nil {
		return 0, err
	}
	const warmUp, n = 1000, 20_000
	var start time.Duration // processor time, which other processes do not change
	for i := range warmUp + n {
		if i == warmUp {
			start = ownCPU()
		}
		if _, err := v.Verify(context.Background(), text, workload.Audience); err != nil {
			return 0, err
		}
	}
	return float64((ownCPU() - start).Microseconds()) / n, nil
}

// recorded is an answer of the service, which the floor repeats.
type recorded struct {
	Header http.Header
	Body   string
}

// startFloor sends the service one request, and starts a process that sends the same
// answer.
func startFloor(ctx context.Context, o options, s *service, text string) (*service, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.Addr+"/v2", strings.NewReader(string(body(text))))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(content), `"status":"okay"`) {
		return nil, fmt.Errorf("the service answers %.200q, %w", content, err)
	}
	answer.Header.Del("Date")
	file := filepath.Join(o.dir, "answer.json")
	data, err := json.Marshal(recorded{answer.Header, string(content)})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), floorEnv+"="+file, "GOGC=300") // as in vepverify serve
	return startServer(cmd)
}

// serveFloor runs the floor: the server of the service with another handler.
func serveFloor(ctx context.Context, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var answer recorded
	if err := json.Unmarshal(data, &answer); err != nil {
		return err
	}
	v, err := assertion.NewVerifier(assertion.Config{})
	if err != nil {
		return err
	}
	h, err := verifyapi.New(verifyapi.Config{Verifier: v})
	if err != nil {
		return err
	}
	s := h.Server()
	content := []byte(answer.Body)
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		_, _ = w.Write(content)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf(`{"Fields":{"url":"http://%s"}}`+"\n", l.Addr())
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { s.Close() })
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

var wrkRate = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)

// load loads the server with wrk: one thread, and as many connections as the
// options say.
func (s *service) load(ctx context.Context, wrk, script string, o options) (FloorSide, error) {
	run := func(d time.Duration) ([]byte, error) {
		seconds := strconv.Itoa(max(1, int(d.Seconds()))) + "s"
		return exec.CommandContext(ctx, wrk, "-t1", "-c"+strconv.Itoa(o.connections), "-d"+seconds, "-s", script, "http://"+s.Addr+"/v2").Output()
	}
	before, err := s.cpu()
	if err != nil {
		return FloorSide{}, err
	}
	printed, err := run(o.duration)
	if err != nil {
		return FloorSide{}, err
	}
	after, err := s.cpu()
	if err != nil {
		return FloorSide{}, err
	}
	found := wrkRate.FindSubmatch(printed)
	if found == nil || strings.Contains(string(printed), "Non-2xx") || strings.Contains(string(printed), "Socket errors") {
		return FloorSide{}, fmt.Errorf("wrk printed %s", printed)
	}
	rate, err := strconv.ParseFloat(string(found[1]), 64)
	var count int
	if fields := regexp.MustCompile(`(\d+) requests in`).FindSubmatch(printed); fields != nil {
		count, err = strconv.Atoi(string(fields[1]))
	}
	return FloorSide{PerSecond: rate, CPUUS: float64((after - before).Microseconds()) / float64(max(1, count))}, err
}
