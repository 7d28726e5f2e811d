# Pictures of a run, by gnuplot 5.4 or later, from its CSV alone:
#
#     gnuplot -c scripts/plot.gp results/latest
#
# latency.png: the distribution of round trips, a curve for each transport and message size, all trials together
# throughput.png: goodput, medians over trials with the smallest and the largest trial
# Both are written into the run's folder.

run = ARGC >= 1 ? ARG1 : "results/latest"
set datafile separator ","
set datafile columnheaders
set datafile missing NaN            # a row that is not asked for breaks no curve
blue = "#0072b2"; orange = "#d55e00" # colours that the colour-blind tell apart; UDP is dashed or hatched too

# The message sizes in the rows of one kind, in their order.
sizes = ""
note(size) = (sizes = strstrt(sizes . " ", " " . size . " ") == 0 ? sizes . " " . size : sizes, 0)
latency = run . "/latency.csv"
set yrange [-1:1]
set table $nothing                  # read the rows, and draw none
plot latency using (strcol("workload") eq "latency" ? note(strcol("size_bytes")) : 0)
latency_sizes = sizes
sizes = ""
summary = run . "/summary.csv"
plot summary using (strcol("metric") eq "goodput_bps" ? note(strcol("size_bytes")) : 0)
throughput_sizes = sizes
unset table

set terminal pngcairo size 1000,600 font "sans,12" noenhanced
set grid lc rgb "#dddddd"
set border 3
set tics nomirror

if (words(latency_sizes) > 0) {
    set output run . "/latency.png"
    set title "Round trip, one message in flight"
    set xlabel "round trip, µs (logarithmic)"
    set ylabel "share of messages that were as fast"
    set logscale x
    set yrange [0:1]
    set key bottom right
    is(proto, size) = strcol("workload") eq "latency" && strcol("proto") eq proto && strcol("size_bytes") eq size
    plot for [i = 1:words(latency_sizes)] latency \
             using (is("tcp", word(latency_sizes, i)) ? column("to_ns") / 1000. : NaN):(column("count")) \
             smooth cnormal lc rgb blue lw i dt 1 title "TCP " . word(latency_sizes, i) . " B", \
         for [i = 1:words(latency_sizes)] latency \
             using (is("udp", word(latency_sizes, i)) ? column("to_ns") / 1000. : NaN):(column("count")) \
             smooth cnormal lc rgb orange lw i dt 2 title "UDP " . word(latency_sizes, i) . " B"
    unset output
    unset logscale x
    print "wrote " . run . "/latency.png"
}

if (words(throughput_sizes) > 0) {
    set output run . "/throughput.png"
    set title "Goodput, as fast as it goes, counted by the receiver"
    set xlabel "message size"
    set ylabel "goodput, Gbit/s"
    set yrange [0:*]
    set xrange [0.4:words(throughput_sizes) + 0.6]
    set xtics ("" 0)
    do for [i = 1:words(throughput_sizes)] { set xtics add (word(throughput_sizes, i) . " B" i) }
    set key top left
    set boxwidth 0.35
    set style fill solid 0.7
    place(size) = sum [i = 1:words(throughput_sizes)] (word(throughput_sizes, i) eq size ? i : 0)
    x(offset) = strcol("metric") eq "goodput_bps" ? place(strcol("size_bytes")) + offset : NaN
    gbit(name) = column(name) / 1e9
    plot summary using (x(-0.18)):(gbit("tcp_value")) with boxes lc rgb blue title "TCP", \
         summary using (x(0.18)):(gbit("udp_value")) with boxes lc rgb orange fs pattern 4 title "UDP", \
         summary using (x(-0.18)):(gbit("tcp_value")):(gbit("tcp_min")):(gbit("tcp_max")) with yerrorbars pt 7 ps 0.3 lc rgb "black" notitle, \
         summary using (x(0.18)):(gbit("udp_value")):(gbit("udp_min")):(gbit("udp_max")) with yerrorbars pt 7 ps 0.3 lc rgb "black" notitle
    unset output
    print "wrote " . run . "/throughput.png"
}
