// Command generate writes the project's test vectors, the tables of the rules that they
// test, and the sample assertion into the folder testdata of the working directory, which
// must be the root of the repository:
//
//	go run ./cmd/vepverify/internal/vectors/generate
//
// Package corpus makes the files of BrowserID, and package evpcorpus those of the Email
// Verification Protocol. Equal sources make equal files, to the byte.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/generate/corpus"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/generate/evpcorpus"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(repository string) error {
	files := make(map[string][]byte)
	for source, generate := range map[string]func(rules []byte) (map[string][]byte, error){
		corpus.RulesSource: corpus.Files, evpcorpus.RulesSource: evpcorpus.Files,
	} {
		rules, err := os.ReadFile(filepath.Join(repository, source))
		if err != nil {
			return fmt.Errorf("not in the root of the repository: %w", err)
		}
		made, err := generate(rules)
		if err != nil {
			return err
		}
		maps.Copy(files, made)
	}
	for _, folder := range []string{corpus.VectorsFolder, evpcorpus.VectorsFolder} {
		if err := removeOld(filepath.Join(repository, folder)); err != nil {
			return err
		}
	}
	for name, data := range files {
		path := filepath.Join(repository, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// removeOld removes all vector files of a folder, among them those of groups that no
// longer exist.
func removeOld(folder string) error {
	old, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
