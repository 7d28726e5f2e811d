#!/usr/bin/env bash
# Runs every fuzz target for some time, beyond its corpus. What fails is left in testdata/fuzz/ of its package, where
# "go test" finds it: keep it with the mend.
#
#   scripts/fuzz.sh [DURATION OF EACH, 60s by itself]
set -euo pipefail
cd "$(dirname "$0")/.."

each=${1:-60s}
for file in $(grep -rl --include=*_test.go '^func Fuzz' .); do
    for target in $(sed -n 's/^func \(Fuzz[A-Za-z]*\)(.*/\1/p' "$file"); do
        echo "$target in $(dirname "$file"), $each"
        go test -run '^$' -fuzz "^$target\$" -fuzztime "$each" "$(dirname "$file")"
    done
done
