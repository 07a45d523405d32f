package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/dghubble/oauth1"

	"github.com/vepverify/vepverify/vepauth"
)

// scriptClient returns a client that is a script.
func scriptClient(ask func(ctx context.Context, question, answer any, script string) error, script string) oauthClient {
	return func(ctx context.Context, jobs []oauthJob) (answers [][]oauthAnswer, err error) {
		err = ask(ctx, jobs, &answers, script)
		return answers, err
	}
}

// runOAuthlib has python3-oauthlib sign, and verify what ours signs.
func runOAuthlib(ctx context.Context) (table, error) {
	t, err := runOAuthClient(ctx, scriptClient(askPython, "../../vepauth/testdata/oauthlib_client.py"), nil)
	if err != nil {
		return nil, err
	}
	ours, err := runOAuthClient(ctx, sendByUs, nil)
	if err != nil {
		return nil, err
	}
	for _, row := range ours[1:] {
		row[0] += ", signed by ours"
	}
	return append(t, ours[1:]...), nil
}

func runRequestsOAuthlib(ctx context.Context) (table, error) {
	return runOAuthClient(ctx, scriptClient(askPython, "python/requests_client.py"), nil)
}

func runOAuth10a(ctx context.Context) (table, error) {
	const port = "§3.4.1.2: the default port is left out; it signs :80"
	const names = "§3.4.1.3.1: names are decoded; it does not decode those of a query"
	return runOAuthClient(ctx, scriptClient(askNode, "oauth.js"), map[string]string{
		"no path":                    "§3.4.1.2: the path on the wire is /; it signs none",
		"plus":                       "§3.4.1.3.1: a + in a query is a space; it signs a +",
		"form body and query":        "§3.4.1.3.1: each pair of query and form is signed; its query replaces the form's value",
		"percent-encoded query":      names,
		"UTF-8":                      names,
		"sorting":                    names,
		"to http://RP.Example":       "§3.4.1.2: the host is in lower case; it signs it as written",
		"to http://rp.example:80":    port,
		"to http://[2001:db8::1]:80": port,
	})
}

func runDghubble(ctx context.Context) (table, error) {
	const duplicates = "§3.4.1.3.2: each value of a name is signed; it signs the first"
	return runOAuthClient(ctx, sendByDghubble, map[string]string{
		"no path":                    "§3.4.1.2: the path on the wire is /; it signs none",
		"duplicate names":            duplicates,
		"form body":                  duplicates + " (c occurs twice)",
		"form body and query":        duplicates,
		"to http://rp.example:443":   "§3.4.1.2: 443 is not the default port of http; it leaves it out",
		"to http://[2001:db8::1]:80": "§3.4.1.2: 80 is the default port of http; it signs :80 after an IPv6 address",
	})
}

// sendByDghubble signs with github.com/dghubble/oauth1.
func sendByDghubble(ctx context.Context, jobs []oauthJob) ([][]oauthAnswer, error) {
	return sendEach(ctx, jobs, func(j oauthJob, r oauthRequest, request *http.Request) (oauthAnswer, error) {
		config := oauth1.NewConfig(j.Key, j.Secret)
		config.Realm = r.Realm
		if r.Hash == vepauth.HMACSHA256 {
			config.Signer = &oauth1.HMAC256Signer{ConsumerSecret: j.Secret}
		}
		base := context.WithValue(ctx, oauth1.HTTPClient, clientTo(j.address()))
		return send(config.Client(base, oauth1.NewToken("", "")), request)
	})
}

// sendEach sends the requests of jobs one by one.
func sendEach(ctx context.Context, jobs []oauthJob, send func(oauthJob, oauthRequest, *http.Request) (oauthAnswer, error)) ([][]oauthAnswer, error) {
	all := make([][]oauthAnswer, len(jobs))
	for i, j := range jobs {
		for _, r := range j.Requests {
			request, err := r.newRequest(ctx)
			if err != nil {
				return nil, err
			}
			a, err := send(j, r, request)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.Name, err)
			}
			all[i] = append(all[i], a)
		}
	}
	return all, nil
}

// oauthlibKey and oauthlibSecret are those of the client that startOAuthlib knows.
const oauthlibKey, oauthlibSecret = "key", "secret"

// startOAuthlib starts a server that verifies with python3-oauthlib.
func startOAuthlib(ctx context.Context) (port int, stop func(), err error) {
	line, stop, err := startServer(ctx, nil, "/usr/bin/python3", "python/oauthlib_server.py", oauthlibKey, oauthlibSecret)
	if err != nil {
		return 0, nil, err
	}
	if port, err = strconv.Atoi(line); err != nil {
		stop()
		return 0, nil, err
	}
	return port, stop, nil
}

// acceptedByOAuthlib counts the requests of a client that python3-oauthlib accepts.
func acceptedByOAuthlib(ctx context.Context, client oauthClient) (a accepted, err error) {
	port, stop, err := startOAuthlib(ctx)
	if err != nil {
		return a, err
	}
	defer stop()
	jobs := make([]oauthJob, len(oauthOrigins))
	for i := range jobs {
		jobs[i] = oauthJob{Host: "127.0.0.1", Port: port, Key: oauthlibKey, Secret: oauthlibSecret}
	}
	return acceptedOf(ctx, client, jobs, func(_ oauthRequest, answer oauthAnswer) bool {
		return answer == oauthAnswer{200, "valid"}
	})
}

// sendByUs signs with vepauth.Sign.
func sendByUs(ctx context.Context, jobs []oauthJob) ([][]oauthAnswer, error) {
	return sendEach(ctx, jobs, func(j oauthJob, r oauthRequest, request *http.Request) (oauthAnswer, error) {
		if err := vepauth.Sign(request, vepauth.Credentials{ID: j.Key, Secret: j.Secret, Method: r.Hash}); err != nil {
			return oauthAnswer{}, err
		}
		return send(clientTo(j.address()), request)
	})
}
