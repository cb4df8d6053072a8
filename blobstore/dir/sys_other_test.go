//go:build unix && !linux

package dir_test

import "errors"

func setFilesystemUser(int) error {
	return errors.New("run this test as an ordinary user: only Linux lets one thread give up root's rights")
}
