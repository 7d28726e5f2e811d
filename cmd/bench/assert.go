package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"tcpvsudp/results/report"
)

// exitMissed is the exit code where an assertion was missed.
const exitMissed = 3

// assertions are the thresholds of a command line.
type assertions struct {
	texts []string
	list  []report.Assertion
}

func (a *assertions) flag(f *pflag.FlagSet) {
	f.StringArrayVar(&a.texts, "assert", nil, "threshold that figures are held against, or else the exit code is 3; may be given again")
}

// parse reads them; compares says that they are about two results.
func (a *assertions) parse(compares bool) error {
	var errs []error
	a.list = nil
	for _, text := range a.texts {
		one, err := report.ParseAssertion(text, compares)
		a.list, errs = append(a.list, one), append(errs, err)
	}
	return errors.Join(errs...)
}

// hold tells on w what became of each, and returns an error when one was missed.
func (a *assertions) hold(w io.Writer, check func(report.Assertion) []report.Outcome) error {
	missed := false
	for _, one := range a.list {
		for _, o := range check(one) {
			fmt.Fprintln(w, "assert", o.Text)
			missed = missed || !o.Met
		}
	}
	if missed {
		return exitError(exitMissed)
	}
	return nil
}
