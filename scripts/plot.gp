# Pictures of a run, by gnuplot 5.4 or later, from its CSV alone:
#
#     gnuplot -c scripts/plot.gp results/latest
#
# latency.png: the distribution of round trips, a curve for each transport, message size and number
#   of flows, all trials together
# paced.png: the same of the way to the server, where messages left at a fixed rate
# throughput.png: goodput, medians over trials with the smallest and the largest trial
# They are written into the run's folder.

run = ARGC >= 1 ? ARG1 : "results/latest"
set datafile separator ","
set datafile columnheaders
set datafile missing NaN            # a row that is not asked for breaks no curve
blue = "#0072b2"; orange = "#d55e00" # colours that the colour-blind tell apart; UDP is dashed or hatched too

# The cells in the rows of one kind, in their order, as "64", "64x10" for 10 flows of 64 B, or "64-down-batches".
way(row) = strcol("direction") eq "down" || strcol("direction") eq "both" ? "-" . strcol("direction") : ""
batch(row) = strcol("workload") ne "throughput" ? "" : strcol("batch") eq "1" ? "-single" : strcol("batch") eq "auto" ? "-batches" : "-by" . strcol("batch")
control(row) = words(controls) > 1 ? "-" . strcol("congestion_control_asked") : ""
cell(row) = (strcol("flows") eq "1" ? strcol("size_bytes") : strcol("size_bytes") . "x" . strcol("flows")) . way(row) . batch(row) . control(row) . link(row)
link(row) = words(links) > 1 ? "-" . strcol("link") : ""
links = ""
noteLink(l) = (links = strstrt(links . " ", " " . l . " ") == 0 ? links . " " . l : links, 0)
controls = ""
noteControl(c) = (controls = strstrt(controls . " ", " " . c . " ") == 0 ? controls . " " . c : controls, 0)
cells = ""
note(c) = (cells = strstrt(cells . " ", " " . c . " ") == 0 ? cells . " " . c : cells, 0)
many(c) = strstrt(c, "x") > 0 ? c[:strstrt(c, "x") - 1] . " B, " . c[strstrt(c, "x") + 1:] . " flows" : c . " B"
label(c) = strstrt(c, "-") > 0 ? many(c[:strstrt(c, "-") - 1]) . ", " . c[strstrt(c, "-") + 1:] : many(c)
latency = run . "/latency.csv"
summary = run . "/summary.csv"
set table $nothing                  # read the rows, and draw none: summary.csv names every cell
set yrange [-1:1]
plot summary using (noteControl(strcol("congestion_control_asked")))
plot summary using (noteLink(strcol("link")))
plot summary using (strcol("metric") eq "rtt_p50_us" && strcol("workload") eq "latency" ? note(cell(0)) : 0)
latency_cells = cells
cells = ""
plot summary using (strcol("metric") eq "owd_up_p50_us" && strcol("workload") eq "paced" ? note(cell(0)) : 0)
paced_cells = cells
cells = ""
plot summary using (strcol("metric") eq "goodput_bps" ? note(cell(0)) : 0)
throughput_cells = cells
unset table
if (words(latency_cells) + words(paced_cells) + words(throughput_cells) == 0) {
    print "nothing to plot: " . run . " has neither latency nor paced nor throughput trials"
}

set terminal pngcairo size 1000,600 font "sans,12" noenhanced
set grid lc rgb "#dddddd"
set border 3
set tics nomirror

# How long messages took.
is(w, m, proto, c) = strcol("workload") eq w && strcol("metric") eq m && strcol("proto") eq proto && cell(0) eq c
do for [w in "latency paced"] {
    list = w eq "latency" ? latency_cells : paced_cells
    if (words(list) > 0) {
        metric = w eq "latency" ? "rtt" : "owd_up"
        set output run . "/" . w . ".png"
        set title w eq "latency" ? "Round trip, one message in flight" : "One way to the server, at a fixed rate, from the intended send"
        set xlabel w eq "latency" ? "round trip, µs (logarithmic)" : "one way, µs (logarithmic)"
        set ylabel "share of messages that were as fast"
        set logscale x
        set yrange [0:1]
        set key bottom right
        plot for [i = 1:words(list)] latency \
                 using (is(w, metric, "tcp", word(list, i)) ? column("to_ns") / 1000. : NaN):(column("count")) \
                 smooth cnormal lc rgb blue lw i dt 1 title "TCP " . label(word(list, i)), \
             for [i = 1:words(list)] latency \
                 using (is(w, metric, "udp", word(list, i)) ? column("to_ns") / 1000. : NaN):(column("count")) \
                 smooth cnormal lc rgb orange lw i dt 2 title "UDP " . label(word(list, i))
        unset output
        unset logscale x
        print "wrote " . run . "/" . w . ".png"
    }
}

if (words(throughput_cells) > 0) {
    set output run . "/throughput.png"
    set title "Goodput, as fast as it goes, counted by the receiver"
    set xlabel "message size"
    set ylabel "goodput, Gbit/s"
    set yrange [0:*]
    set xrange [0.4:words(throughput_cells) + 0.6]
    if (words(throughput_cells) > 5) { set xtics rotate by 25 right; set bmargin 7 }
    set xtics ("" 0)
    do for [i = 1:words(throughput_cells)] { set xtics add (label(word(throughput_cells, i)) i) }
    set key top left
    set boxwidth 0.35
    set style fill solid 0.7
    place(c) = sum [i = 1:words(throughput_cells)] (word(throughput_cells, i) eq c ? i : 0)
    x(offset) = strcol("metric") eq "goodput_bps" ? place(cell(0)) + offset : NaN
    gbit(name) = column(name) / 1e9
    plot summary using (x(-0.18)):(gbit("tcp_value")) with boxes lc rgb blue title "TCP", \
         summary using (x(0.18)):(gbit("udp_value")) with boxes lc rgb orange fs pattern 4 title "UDP", \
         summary using (x(-0.18)):(gbit("tcp_value")):(gbit("tcp_min")):(gbit("tcp_max")) with yerrorbars pt 7 ps 0.3 lc rgb "black" notitle, \
         summary using (x(0.18)):(gbit("udp_value")):(gbit("udp_min")):(gbit("udp_max")) with yerrorbars pt 7 ps 0.3 lc rgb "black" notitle
    unset output
    print "wrote " . run . "/throughput.png"
}
