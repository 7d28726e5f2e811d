package bench

// runLatency is the closed loop: each flow has one message in flight and sends the next when the reply
// has come, or when it has been given up. It measures service time.
func runLatency(t *trial) error {
	return t.each(func(w *worker) error {
		defer w.bind()()
		w.sendUntil(t.stop + int64(sendPatience))
		for now := w.hold(); now < t.stop; now = w.hold() {
			seq := w.number(now)
			w.armFor(now)
			if err := w.sendOne(seq, now); err != nil {
				return err
			}
			if err := w.await(seq, now); err != nil {
				return err
			}
		}
		return w.drain()
	})
}
