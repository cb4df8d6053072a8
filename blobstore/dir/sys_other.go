//go:build unix && !linux

package dir

import "golang.org/x/sys/unix"

// renameNoReplace is a call of Linux; elsewhere the link does.
func renameNoReplace(int, string, string) error { return unix.ENOSYS }

// isMountRoot leaves it to the comparison of devices.
func isMountRoot(string) bool { return false }

// openBelow is a call of Linux; without it nothing is expected.
func openBelow(int, string, int) (int, error) { return -1, unix.ENOSYS }

const lookOnly = 0
