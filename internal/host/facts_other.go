//go:build !linux

package host

func (f *Facts) readPlatform() {}
