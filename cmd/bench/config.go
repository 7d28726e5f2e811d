package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// envPrefix begins the name of every environment variable that sets a flag: BENCH_TRIALS is --trials.
const envPrefix = "BENCH_"

// configure sets the flags that the command line did not: from the environment, and what that leaves from
// the plan file, if path names one. The words are those of the flags in all three.
func configure(flags *pflag.FlagSet, environ []string, path string) error {
	given := map[string]bool{}
	flags.Visit(func(f *pflag.Flag) { given[f.Name] = true })
	set := func(name string, words []string, where string) error {
		f := flags.Lookup(name)
		if f == nil || f.Hidden {
			return fmt.Errorf("%s: there is no flag --%s", where, name)
		}
		if given[name] {
			return nil
		}
		given[name] = true
		if each, ok := f.Value.(pflag.SliceValue); ok && f.Value.Type() == "stringArray" { // a word may have commas
			f.Changed = true
			return each.Replace(words)
		}
		if err := flags.Set(name, strings.Join(words, ",")); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		return nil
	}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if word, ours := strings.CutPrefix(name, envPrefix); ours {
			if err := set(strings.ReplaceAll(strings.ToLower(word), "_", "-"), []string{value}, "environment variable "+name); err != nil {
				return err
			}
		}
	}
	if path == "" {
		return nil
	}
	return eachSetting(path, func(line int, name string, words []string) error {
		return set(name, words, fmt.Sprintf("%s:%d", path, line))
	})
}

// eachSetting hands on the settings of a plan file: one YAML mapping of words to scalars or lists of them.
func eachSetting(path string, set func(line int, name string, words []string) error) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the plan file: %w", err)
	}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil // empty
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	if !errors.Is(dec.Decode(&more), io.EOF) {
		return fmt.Errorf("%s:%d: a plan file holds one document", path, more.Line)
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: a plan file holds lines like \"trials: 10\"", path, top.Line)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key := top.Content[i]
		if seen[key.Value] {
			return fmt.Errorf("%s:%d: %s is set twice", path, key.Line, key.Value)
		}
		seen[key.Value] = true
		words, err := wordsOf(top.Content[i+1])
		if err != nil {
			return fmt.Errorf("%s:%d: %s: %w", path, key.Line, key.Value, err)
		}
		if key.Value == "config" {
			return fmt.Errorf("%s:%d: a plan file can't name another", path, key.Line)
		}
		if err := set(key.Line, key.Value, words); err != nil {
			return err
		}
	}
	return nil
}

// wordsOf are the words of a value.
func wordsOf(n *yaml.Node) ([]string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return []string{n.Value}, nil
	case yaml.SequenceNode:
		words := make([]string, len(n.Content))
		for i, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, errors.New("a list holds words and numbers alone")
			}
			words[i] = item.Value
		}
		return words, nil
	}
	return nil, errors.New("use a word, a number or a list of them")
}
