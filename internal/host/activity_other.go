//go:build !linux

package host

func (a *Activity) readPlatform() {}

func datagrams() (DatagramCounts, bool) { return DatagramCounts{}, false }

func carried(string) (uint64, bool) { return 0, false }
