package results

// Summary is a row of summary.csv: one metric of one cell, both transports side by side.
type Summary struct {
	Schema int `csv:"schema" json:"schema"`
	Cell
	Figure
	TCP Side `csv:"tcp_,inline" json:"tcp"`
	UDP Side `csv:"udp_,inline" json:"udp"`
	// Judgement is of UDP against TCP: its ratio is UDP / TCP.
	Judgement
}

// Change is a row of a comparison of two results: one metric of one cell and transport, before and after.
type Change struct {
	Schema int    `csv:"schema" json:"schema"`
	Proto  string `csv:"proto" json:"proto"`
	Cell
	Figure
	Old Side `csv:"old_,inline" json:"old"`
	New Side `csv:"new_,inline" json:"new"`
	// Judgement is of the new result against the old: its ratio is new / old.
	Judgement
}

// Figure says what the figures of a row are.
type Figure struct {
	Metric string `csv:"metric" json:"metric"`
	Unit   string `csv:"unit" json:"unit"`
	// Better says which way is good: lower, higher, or nothing where neither is.
	Better string `csv:"better" json:"better"`
	// Over says what the values are: median (of the trials' own), or merged (of all trials' messages taken
	// together: for shares, and for percentiles that one trial has too few messages for).
	Over string `csv:"over" json:"over"`
}

// Side is one half of a comparison. Min and Max are over the trials, and so are Low and High: the interval of the trials' median, with 95 %
// confidence; empty for fewer than six trials.
type Side struct {
	Value  Value `csv:"value" json:"value"`
	Min    Value `csv:"min" json:"min"`
	Max    Value `csv:"max" json:"max"`
	Low    Value `csv:"low" json:"low"`
	High   Value `csv:"high" json:"high"`
	Trials int   `csv:"trials" json:"trials"`
	// Of is what a share is a share of, in messages, or what a merged percentile was taken over.
	Of Value `csv:"of_messages" json:"of_messages"`
	// Drift is by how much the trials' figures rose from the first to the last, as a share of their median, and DriftP the probability of
	// such a trend by chance alone.
	Drift  Value `csv:"drift_ratio" json:"drift_ratio"`
	DriftP Value `csv:"drift_p" json:"drift_p"`
}

// Judgement is what is known of the difference between the two halves of a row. It is made of the trials' own figures: in
// pairs of trials within a run, else of all trials of one half against those of the other.
type Judgement struct {
	// Ratio is the estimate of how the second half stands to the first (Hodges and Lehmann's), Low and High its interval with 95 %
	// confidence. Where the row is over merged messages it is the ratio of the two values.
	Ratio Value `csv:"ratio" json:"ratio"`
	Low   Value `csv:"ratio_low" json:"ratio_low"`
	High  Value `csv:"ratio_high" json:"ratio_high"`
	// Pairs is how many pairs of trials were compared; of two results, the trials of the smaller.
	Pairs int `csv:"pairs" json:"pairs"`
	// P is the probability of such a difference by chance alone: by Wilcoxon's signed-rank test of pairs, or the Mann-Whitney test. PHolm
	// is adjusted by Holm for the number of rows that were tested in the same table.
	P     Value `csv:"p" json:"p"`
	PHolm Value `csv:"p_holm" json:"p_holm"`
	// Family is that number, 0 where the row was not tested.
	Family int `csv:"rows_tested" json:"rows_tested"`
	// Threshold is the least difference that counts, as a share: 2 % or the noise floor.
	Threshold Value `csv:"threshold_ratio" json:"threshold_ratio"`
	// Winner is the half that is better, where that is shown: PHolm is below 0.05, and the difference is not below Threshold.
	Winner string `csv:"winner" json:"winner"`
	// Needed is with about how many trials a difference such as the one seen would be shown; empty where it is shown, or can't be told.
	Needed Value `csv:"trials_needed" json:"trials_needed"`
	// Verdict is all of that in words.
	Verdict string `csv:"verdict" json:"verdict"`
}
