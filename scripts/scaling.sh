#!/usr/bin/env bash
# How cost grows: with the size of messages, the number of flows and the duration. It prints a table as CSV, a row a trial's median.
#
#   scripts/scaling.sh [-t TRIALS] [-l LONGEST-DURATION] [-o FILE.csv]
#
# BENCH names a built bench; without it one is built. The longest duration is 10m unless told otherwise. The server's
# resident memory after each run is asked by curl.
set -euo pipefail
cd "$(dirname "$0")/.."
trials=3 longest=10m out=/dev/stdout
while getopts t:l:o:h option; do
	case $option in
	t) trials=$OPTARG ;;
	l) longest=$OPTARG ;;
	o) out=$OPTARG ;;
	*) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit $([ "$option" = h ] && echo 0 || echo 2) ;;
	esac
done
temp=$(mktemp -d)
trap '[ -z "${server:-}" ] || kill "$server" 2>/dev/null; rm -rf "$temp"' EXIT
bench=${BENCH:-$temp/bench}
[ -n "${BENCH:-}" ] || go build -o "$bench" ./cmd/bench

port=$((20000 + RANDOM % 10000))
"$bench" server --listen 127.0.0.1:$port --log off >/dev/null 2>&1 &
server=$!
for _ in $(seq 50); do curl -fs "http://127.0.0.1:$port/metrics" >/dev/null && break || sleep 0.1; done
resident() { curl -fs "http://127.0.0.1:$port/metrics" | awk '$1 == "process_resident_memory_bytes" { printf "%d", $2 }'; }

# rows GROWS ARGS...: the figures of a run, by what has grown.
rows() {
	local grows=$1
	shift
	"$bench" run --server 127.0.0.1:$port --quiet --out "$temp/runs" --workload throughput --batch auto "$@" >/dev/null 2>"$temp/err" || { cat "$temp/err" >&2; exit 1; }
	awk -F, -v grows="$grows" -v resident="$(resident)" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		{
			printf "%s,%s,%s,%s,%.3g,%.4g,%.4g,%.4g,%.4g,%s,%s\n", grows, $at["proto"], $at["size_bytes"], $at["flows"], $at["duration_ms"] / 1000,
				$at["messages_per_s"], $at["goodput_bps"], $at["loss_ratio"], $at["cpu_us_per_message"], $at["server_bytes_per_flow"], resident
		}' "$temp/runs/latest/trials.csv" | sort -t, -k2,2 -k3,3n -k4,4n >>"$temp/all"
}
echo "grows,proto,size_bytes,flows,duration_s,messages_per_s,goodput_bps,loss_ratio,cpu_us_per_message,server_bytes_per_flow,server_resident_bytes" >"$temp/all"
rows size --size 32,64,256,1400,4KiB,16KiB,65507 --duration 500ms --trials "$trials"
rows flows --flows 1,10,100,1000,10000 --size 1400 --duration 1s --trials "$trials"
rows duration --size 1400 --duration 1s --trials 1
rows duration --size 1400 --duration 10s --trials 1
rows duration --size 1400 --duration "$longest" --trials 1
cp "$temp/all" "$out" 2>/dev/null || cat "$temp/all"
