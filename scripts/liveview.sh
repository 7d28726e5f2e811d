#!/bin/sh
# Does the live view disturb what it shows? Runs with it and with --quiet in turn, each on a terminal of its own
# (script, of util-linux), and sets the two against each other with "bench compare". Usage:
#
#     scripts/liveview.sh [PAIRS] [FLAG...]
#
# FLAGs go to bench run. The terminal only keeps what is written; one with a window takes time to draw it besides.
set -eu

pairs=${1:-6}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- --workload latency,paced,throughput --size 64 --batch 1 --trials 5
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/bench" ./cmd/bench

# measure WORD FLAG...: a run below $dir/WORD, on a terminal.
measure() {
	word=$1
	shift
	script -qec "stty rows 24 cols 80; '$dir/bench' run --out '$dir/$word' $*" "$dir/$word.screen" >/dev/null </dev/null
}

n=0
while [ "$n" -lt "$pairs" ]; do
	n=$((n + 1))
	if [ $((n % 2)) -eq 1 ]; then # neither is always the first
		measure live "$@"
		measure quiet --quiet "$@"
	else
		measure quiet --quiet "$@"
		measure live "$@"
	fi
done
grep -q 'medians so far' "$dir/live.screen" || { echo "the live view was not shown" >&2; exit 1; }
if grep -q 'medians so far' "$dir/quiet.screen"; then echo "--quiet showed the live view" >&2; exit 1; fi

# runs WORD: the folders of its runs with commas between.
runs() { find "$dir/$1" -mindepth 1 -maxdepth 1 -type d | sort | paste -sd, -; }
"$dir/bench" compare "$(runs quiet)" "$(runs live)"
