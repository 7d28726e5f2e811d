package bench

import "tcpvsudp/internal/clock"

// runThroughput sends as fast as it goes, one way. What counts is what the server received.
func runThroughput(t *trial) error {
	return t.each(func(w *worker) error {
		heard := w.expect(Done)
		w.sendUntil(t.stop + int64(sendPatience))
		for now := clock.Now(); now < t.stop; now = clock.Now() {
			if w.sent == 0 {
				w.sendBegin = now
			}
			if err := w.sendBlock(now); err != nil {
				_, _ = w.dismiss(heard)
				return err
			}
		}
		w.sendEnd = clock.Now()
		_, err := w.say(Done, heard, doneTries, doneInterval)
		return err
	})
}
