package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"path"
	"strings"

	"github.com/vepverify/vepverify/keys"
)

// cavpFolder is where Debian's python3-cryptography-vectors installs the vectors.
const cavpFolder = "/usr/lib/python3/dist-packages/cryptography_vectors/asymmetric"

// cavpFiles are the files of NIST with signatures of DSA and of RSA with PKCS#1 v1.5. The
// signatures of the files named SigGen must be valid.
var cavpFiles = []string{
	"DSA/FIPS_186-2/SigVer.rsp",
	"DSA/FIPS_186-2/SigGen.txt", // has three more than SigGen.rsp
	"DSA/FIPS_186-3/SigVer.rsp",
	"DSA/FIPS_186-3/SigGen.rsp",
	"RSA/FIPS_186-2/SigVer15_186-3.rsp",
	"RSA/FIPS_186-2/SigGen15_186-2.rsp",
	"RSA/FIPS_186-2/SigGen15_186-3.rsp",
	"RSA/SigVer15EMTest.txt",
}

// runCAVP verifies the vectors of the Cryptographic Algorithm Validation Program that are
// for an algorithm of package keys.
func runCAVP(context.Context) (table, error) {
	t := newTable("file", "signatures", "in scope", "valid, accepted", "invalid, refused", "disagree")
	var total cavpCount
	for _, name := range cavpFiles {
		c, err := countCAVP(os.DirFS(cavpFolder), name)
		if err != nil {
			return nil, err
		}
		c.addTo(&t, "`"+name+"`")
		total.plus(c)
	}
	total.addTo(&t, "all")
	return t, nil
}

// cavpCount counts the vectors of a file by outcome.
type cavpCount struct{ all, scope, accepted, refused, disagree int }

func (c cavpCount) addTo(t *table, name string) {
	t.add(name, c.all, c.scope, c.accepted, c.refused, c.disagree)
}

func (c *cavpCount) plus(d cavpCount) {
	c.all += d.all
	c.scope += d.scope
	c.accepted += d.accepted
	c.refused += d.refused
	c.disagree += d.disagree
}

func countCAVP(folder fs.FS, name string) (c cavpCount, err error) {
	file, err := folder.Open(name)
	if err != nil {
		return c, err
	}
	defer file.Close()
	vectors, err := parseCAVP(file, strings.HasPrefix(path.Base(name), "SigGen"))
	if err != nil {
		return c, fmt.Errorf("%s: %w", name, err)
	}
	c.all = len(vectors)
	for _, v := range vectors {
		if !v.inScope() {
			continue
		}
		c.scope++
		valid, err := v.verify()
		if err != nil {
			return c, fmt.Errorf("%s: %w", name, err)
		}
		switch {
		case valid != v.valid:
			c.disagree++
		case valid:
			c.accepted++
		default:
			c.refused++
		}
	}
	return c, nil
}

// cavpVector is a signature with the values that precede it in its file.
type cavpVector struct {
	section string // such as "mod = L=1024, N=160, SHA-1"
	values  map[string]string
	valid   bool
}

// parseCAVP parses a file. A vector ends with its Result or, if all are valid, with S.
func parseCAVP(r io.Reader, allValid bool) ([]cavpVector, error) {
	var all []cavpVector
	section, values := "", map[string]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			section, values = strings.Trim(line, "[]"), map[string]string{}
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found || strings.HasPrefix(line, "#") {
			continue
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		values[name] = value
		if name == "Result" || allValid && name == "S" {
			valid := name == "S" || strings.HasPrefix(value, "P")
			all = append(all, cavpVector{section, maps.Clone(values), valid})
		}
	}
	return all, lines.Err()
}

// inScope reports whether package keys has the algorithm: DSA with 1024 and 160 bits and
// SHA-1, or 2048 and 256 bits and SHA-256; RSA with SHA-256, but not with 1536 bits.
func (v cavpVector) inScope() bool {
	if v.isRSA() {
		return v.values["SHAAlg"] == "SHA256" && v.section != "mod = 1536"
	}
	switch v.section {
	case "mod = 1024", "mod = L=1024, N=160, SHA-1", "mod = L=2048, N=256, SHA-256":
		return true
	}
	return false
}

func (v cavpVector) isRSA() bool { return v.values["n"] != "" }

// verify reports whether package keys accepts the signature. It returns an error if the
// key or the text is refused.
func (v cavpVector) verify() (bool, error) {
	key, err := v.key()
	if err != nil {
		return false, err
	}
	message, err := hex.DecodeString(v.values["Msg"])
	if err != nil {
		return false, err
	}
	signature, err := v.signature()
	if err != nil {
		return false, err
	}
	switch err := key.Verify(message, signature); {
	case err == nil:
		return true, nil
	case errors.Is(err, keys.ErrSignature):
		return false, nil
	default:
		return false, err
	}
}

// key parses the public key in the form of the protocol.
func (v cavpVector) key() (keys.PublicKey, error) {
	if !v.isRSA() {
		return keys.ParsePublicKey(fmt.Appendf(nil, `{"algorithm":"DS","p":%q,"q":%q,"g":%q,"y":%q}`,
			v.values["P"], v.values["Q"], v.values["G"], v.values["Y"]))
	}
	n, ok1 := new(big.Int).SetString(v.values["n"], 16)
	e, ok2 := new(big.Int).SetString(v.values["e"], 16)
	if !ok1 || !ok2 {
		return nil, errors.New("n or e is not hexadecimal")
	}
	return keys.ParsePublicKey(fmt.Appendf(nil, `{"algorithm":"RS","n":"%d","e":"%d"}`, n, e))
}

// signature returns S or, for DSA, R and S at the length of Q.
func (v cavpVector) signature() ([]byte, error) {
	if v.isRSA() {
		return hex.DecodeString(v.values["S"])
	}
	size := len(v.values["Q"])
	return hex.DecodeString(padHex(v.values["R"], size) + padHex(v.values["S"], size))
}

func padHex(digits string, size int) string {
	return strings.Repeat("0", max(0, size-len(digits))) + digits
}
