#!/usr/bin/env bash
# Has clients measure against one server without end, killing some of them, and fails when the server grows or a count is
# wrong. For a night's job, 30 minutes; in CI, 2.
#
#   scripts/soak.sh [DURATION, 30m by itself]
set -euo pipefail
cd "$(dirname "$0")/.."
SOAK=${1:-30m} go test -count=1 -v -timeout 0 -run '^TestSoak$' ./cmd/bench
