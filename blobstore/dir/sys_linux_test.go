package dir_test

import "syscall"

// setFilesystemUser changes as whom this thread meets the filesystem, and
// takes or gives root's exemption from its modes.
func setFilesystemUser(uid int) error { return syscall.Setfsuid(uid) }
