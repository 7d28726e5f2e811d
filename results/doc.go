// Package results is what a run leaves behind: its records and the files that hold them.
//
//	<run>/run.json       what was planned, asked and granted, on which host, and how far the run came
//	<run>/trials.csv     a row a trial: the wide table that people plot
//	<run>/latency.csv    a row a histogram bucket of a trial: what a CDF is drawn from
//	<run>/intervals.csv  a row a second or less of a trial: the time series
//	<run>/search.csv     a row a measurement of a search for the highest rate
//	<run>/summary.csv    a row a metric: both transports' medians, their ratio, and what is known of it
//	calibration.json     beside the runs: by how much the host differs from itself
//
// Every file carries the schema's version, every column's name its unit. An empty cell was not measured:
// it is never 0, and no NaN or infinity is ever written. A trial is written when it is finished, the row
// of trials.csv last; rows of the other files that belong to no row there are a trial that was cut off,
// and a reader passes over them.
//
// The file is the contract: this package knows no socket, and whatever reports on a run starts from here.
package results
