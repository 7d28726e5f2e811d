#!/usr/bin/env bash
# Measures this program beside iperf3, sockperf and netperf, whichever are installed: each job in alternation, pair after pair, on the
# loopback interface, and prints the medians, the median of the pairs' ratios, and how that stands to the goal.
#
#   scripts/peers.sh [-n PAIRS] [-d SECONDS] [-o FILE.csv] [JOB ...]
#
# IPERF3, SOCKPERF, NETPERF and NETSERVER name the programs where they are not in the PATH; BENCH names a built bench. The jobs
# with segmentation offload need iperf3 3.20 or newer (--gsro).
set -euo pipefail
cd "$(dirname "$0")/.."

pairs=5 seconds=2 out=
while getopts n:d:o:h option; do
	case $option in
	n) pairs=$OPTARG ;;
	d) seconds=$OPTARG ;;
	o) out=$OPTARG ;;
	*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit $([ "$option" = h ] && echo 0 || echo 2) ;;
	esac
done
shift $((OPTIND - 1))
wanted=("$@")

iperf3=${IPERF3:-iperf3} sockperf=${SOCKPERF:-sockperf} netperf=${NETPERF:-netperf} netserver=${NETSERVER:-netserver}
port=15201
temp=$(mktemp -d)
started=()
cleanup() {
	for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
	rm -rf "$temp"
}
trap cleanup EXIT
bench=${BENCH:-$temp/bench}
[ -n "${BENCH:-}" ] || go build -o "$bench" ./cmd/bench

# have PROGRAM DEBIAN-PACKAGE: whether it is there; says once what is missing.
declare -A said
have() {
	command -v "$1" >/dev/null && return
	[ -n "${said[$1]:-}" ] || echo "$1 is missing, and its jobs are left out; Debian: apt install $2" >&2
	said[$1]=1
	return 1
}
have_gsro() {
	have "$iperf3" iperf3 || return
	"$iperf3" --help 2>&1 | grep -q -- --gsro && return
	[ -n "${said[gsro]:-}" ] || echo "$iperf3 has no --gsro, and the jobs with offload are left out: it is in 3.20 and newer" >&2
	said[gsro]=1
	return 1
}

# ours METRIC PROTO ARGS...: a trial of this program, and one figure of it.
ours() {
	local metric=$1 proto=$2
	shift 2
	timeout $((seconds * 2 + 20)) "$bench" run --quiet --out "$temp/runs" --format csv --proto "$proto" --trials 1 --warmup 100ms \
		--duration "${seconds}s" "$@" 2>"$temp/err" >"$temp/csv" || { cat "$temp/err" >&2; return 1; }
	awk -F, -v metric="$metric" -v column="${proto}_value" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
		$at["metric"] == metric { print $at[column] }' "$temp/csv"
}

# field NAME OBJECT: a number of an object of the iperf3 report that was made last.
field() {
	awk -v name="\"$1\":" -v object="\"$2\":" '
		$1 == "\"end\":" { ended = 1 }
		ended && $1 == object { inside = 1 }
		inside && $1 == name { gsub(/[^0-9.e+-]/, "", $2); print $2; exit }' "$temp/iperf"
}

# iperf ARGS...: a run of iperf3 between two processes, whose report is left in $temp/iperf.
iperf() {
	port=$((port + 1))
	timeout $((seconds + 20)) "$iperf3" -s -1 -p $port >/dev/null 2>&1 &
	local server=$!
	started+=($server)
	sleep 0.3
	timeout $((seconds + 10)) "$iperf3" -c 127.0.0.1 -p $port -t "$seconds" -J "$@" >"$temp/iperf" || true
	wait $server || true
}
# The messages that iperf3's receiver had in a second, by the size of a message.
iperf_messages() {
	local size=$1
	shift
	iperf -l "$size" "$@"
	awk -v bits="$(field bits_per_second sum_received)" -v size="$size" 'BEGIN { print bits / 8 / size }'
}
iperf_cpu() { # µs of both processes for a message that was received
	local size=$1
	shift
	iperf -l "$size" "$@"
	awk -v a="$(field host_total cpu_utilization_percent)" -v b="$(field remote_total cpu_utilization_percent)" \
		-v bytes="$(field bytes sum_received)" -v s="$(field seconds sum_received)" -v size="$size" \
		'BEGIN { if (bytes > 0) print (a + b) / 100 * s * 1e6 / (bytes / size) }'
}

# sock PERCENTILE SERVER-CPU CLIENT-CPU ARGS...: µs of a round trip, which sockperf halves.
sock() {
	local percentile=$1 server_cpu=$2 client_cpu=$3
	shift 3
	port=$((port + 1))
	taskset -c "$server_cpu" timeout $((seconds + 10)) "$sockperf" server -i 127.0.0.1 -p $port "$@" >/dev/null 2>&1 &
	local server=$!
	started+=($server)
	sleep 0.3
	taskset -c "$client_cpu" timeout $((seconds + 5)) "$sockperf" ping-pong -i 127.0.0.1 -p $port -t "$seconds" -m 64 "$@" 2>&1 |
		awk -v p="percentile $percentile" 'index($0, p) { print 2 * $NF }'
	kill $server 2>/dev/null || true
	wait $server 2>/dev/null || true
}

# net TEST SERVER-CPU CLIENT-CPU: µs of a round trip of netperf, p50.
net() {
	port=$((port + 1))
	taskset -c "$2" timeout $((seconds + 10)) "$netserver" -D -4 -L 127.0.0.1 -p $port >/dev/null 2>&1 &
	local server=$!
	started+=($server)
	sleep 0.3
	taskset -c "$3" timeout $((seconds + 5)) "$netperf" -4 -H 127.0.0.1 -p $port -t "$1" -l "$seconds" -P 0 -- -r 64,64 -k P50_LATENCY 2>/dev/null |
		awk -F= '/P50_LATENCY/ { print $2 }'
	kill $server 2>/dev/null || true
	wait $server 2>/dev/null || true
}

# The jobs: name | unit | goal of ours/peer | what is needed | ours | the peer.
one=$(( $(nproc) > 1 ? 1 : 0 ))
up="--workload throughput"
rtt="--workload latency --size 64"
jobs=$(cat <<JOBS
udp-64-offload|messages/s|>=2.4|have_gsro|ours messages_per_s udp $up --size 64 --batch auto --wait spin|iperf_messages 64 -u -b 0 --gsro
udp-1400-offload|messages/s|>=1.15|have_gsro|ours messages_per_s udp $up --size 1400 --batch auto --wait spin|iperf_messages 1400 -u -b 0 --gsro
udp-1400-offload-cpu|µs CPU/message|<=0.9|have_gsro|ours cpu_us_per_message udp $up --size 1400 --batch auto|iperf_cpu 1400 -u -b 0 --gsro
udp-64-batch-spin|messages/s|>=1.2|have $iperf3 iperf3|ours messages_per_s udp $up --size 64 --batch auto --offload off --wait spin|iperf_messages 64 -u -b 0 -w 4M
udp-64-batch-block|messages/s|>=1.0|have $iperf3 iperf3|ours messages_per_s udp $up --size 64 --batch auto --offload off|iperf_messages 64 -u -b 0 -w 4M
tcp-128k|messages/s|>=1.1|have $iperf3 iperf3|ours messages_per_s tcp $up --size 128KiB --batch auto|iperf_messages 131072 -C cubic
tcp-128k-spin|messages/s|>=1.1|have $iperf3 iperf3|ours messages_per_s tcp $up --size 128KiB --batch auto --wait spin|iperf_messages 131072 -C cubic
tcp-1400-cubic|messages/s|>=4|have $iperf3 iperf3|ours messages_per_s tcp $up --size 1400 --batch auto|iperf_messages 1400 -C cubic
tcp-1400-bbr|messages/s|>=4|have $iperf3 iperf3|ours messages_per_s tcp $up --size 1400 --batch auto --cc bbr|iperf_messages 1400 -C bbr
tcp-64|messages/s|>=38|have $iperf3 iperf3|ours messages_per_s tcp $up --size 64 --batch auto|iperf_messages 64 -C cubic
tcp-64-one|messages/s|>=1.4|have $iperf3 iperf3|ours messages_per_s tcp $up --size 64 --batch 1|iperf_messages 64 -C cubic
udp-rtt-spin-p50|µs|<=0.95|have $sockperf sockperf|ours rtt_p50_us udp $rtt --wait spin --pin 0:$one|sock 50.000 $one 0 --nonblocked
udp-rtt-spin-p99|µs|<=1.1|have $sockperf sockperf|ours rtt_p99_us udp $rtt --wait spin --pin 0:$one|sock 99.000 $one 0 --nonblocked
tcp-rtt-spin-p50|µs|<=1.0|have $sockperf sockperf|ours rtt_p50_us tcp $rtt --wait spin --pin 0:$one|sock 50.000 $one 0 --nonblocked --tcp
tcp-rtt-spin-p99|µs|<=1.1|have $sockperf sockperf|ours rtt_p99_us tcp $rtt --wait spin --pin 0:$one|sock 99.000 $one 0 --nonblocked --tcp
udp-rtt-block-same|µs|<=1.0|have $sockperf sockperf|ours rtt_p50_us udp $rtt --pin $one:$one|sock 50.000 $one $one
tcp-rtt-block-same|µs|<=1.0|have $sockperf sockperf|ours rtt_p50_us tcp $rtt --pin $one:$one|sock 50.000 $one $one --tcp
udp-rtt-block-apart|µs|<=1.0|have $sockperf sockperf|ours rtt_p50_us udp $rtt --pin 0:$one|sock 50.000 $one 0
tcp-rtt-block-apart|µs|<=1.0|have $sockperf sockperf|ours rtt_p50_us tcp $rtt --pin 0:$one|sock 50.000 $one 0 --tcp
udp-rtt-block-netperf|µs|<=1.0|have $netperf netperf|ours rtt_p50_us udp $rtt --pin $one:$one|net UDP_RR $one $one
tcp-rtt-block-netperf|µs|<=1.0|have $netperf netperf|ours rtt_p50_us tcp $rtt --pin $one:$one|net TCP_RR $one $one
udp-lag-1k|µs send lag p99|alone<=5|true|ours send_lag_p99_us udp --workload paced --rate 1000 --size 64|
udp-lag-10k|µs send lag p99|alone<=12|true|ours send_lag_p99_us udp --workload paced --rate 10000 --size 64 --wait spin|
udp-lag-100k|µs send lag p99|alone<=30|true|ours send_lag_p99_us udp --workload paced --rate 100000 --size 64 --wait spin|
JOBS
)

csv=$temp/pairs.csv
echo "job,unit,pair,ours,peer,ratio" >"$csv"
while IFS='|' read -r name unit goal need mine theirs; do
	if [ ${#wanted[@]} -gt 0 ]; then
		case " ${wanted[*]} " in *" $name "*) ;; *) continue ;; esac
	fi
	$need || continue
	for pair in $(seq "$pairs"); do
		a= b=
		if [ $((pair % 2)) = 1 ]; then
			a=$($mine) || true
			[ -z "$theirs" ] || b=$($theirs) || true
		else
			[ -z "$theirs" ] || b=$($theirs) || true
			a=$($mine) || true
		fi
		awk -v name="$name" -v unit="$unit" -v pair="$pair" -v a="$a" -v b="$b" \
			'BEGIN { printf "%s,%s,%d,%s,%s,%s\n", name, unit, pair, a, b, (a != "" && b > 0) ? a / b : "" }' >>"$csv"
		[ ! -t 2 ] || printf '\r%-24s pair %d of %d ' "$name" "$pair" "$pairs" >&2
	done
done <<<"$jobs"
[ ! -t 2 ] || printf '\r%50s\r' "" >&2

# The medians over the pairs, and whether the goal is met.
awk -F, -v goals="$(cut -d'|' -f1,3 <<<"$jobs")" '
	function median(list, n,    i, j, t) {
		for (i = 2; i <= n; i++) { t = list[i]; for (j = i - 1; j > 0 && list[j] > t; j--) list[j + 1] = list[j]; list[j + 1] = t }
		return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
	}
	function figures(column,    n, i, list) {
		n = 0
		for (i = 1; i <= count[job]; i++) if (cell[job, i, column] != "") list[++n] = cell[job, i, column] + 0
		return n ? sprintf("%.4g", median(list, n)) : "-"
	}
	BEGIN {
		lines = split(goals, line, "\n")
		for (i = 1; i <= lines; i++) { split(line[i], part, "|"); goal[part[1]] = part[2] }
	}
	NR > 1 {
		if (!count[$1]++) order[++jobs] = $1
		unit[$1] = $2
		for (i = 4; i <= 6; i++) cell[$1, count[$1], i] = $i
	}
	END {
		printf "%-24s %-16s %12s %12s %8s %10s  %s\n", "job", "unit", "ours", "peer", "ratio", "goal", ""
		for (j = 1; j <= jobs; j++) {
			job = order[j]
			g = goal[job]
			ratio = figures(6)
			value = ratio
			if (sub(/^alone/, "", g)) value = figures(4)
			met = "-"
			if (value != "-") met = (substr(g, 1, 2) == ">=" ? value + 0 >= substr(g, 3) + 0 : value + 0 <= substr(g, 3) + 0) ? "met" : "missed"
			printf "%-24s %-16s %12s %12s %8s %10s  %s\n", job, unit[job], figures(4), figures(5), ratio, g, met
		}
	}' "$csv"
[ -z "$out" ] || cp "$csv" "$out"
