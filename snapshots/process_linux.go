package snapshots

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// process is one process of one machine since one boot. A number alone names
// nobody: it is used again, and every container counts for itself.
type process struct {
	Boot      string `json:"boot"`      // the kernel's random name for this boot (proc(5), boot_id)
	Namespace string `json:"namespace"` // in which the number counts (pid_namespaces(7))
	PID       int    `json:"pid"`
	Started   string `json:"started"` // in ticks since the boot (proc(5), starttime)
}

// thisProcess returns the zero process where the machine does not tell.
func thisProcess() process {
	p := process{PID: os.Getpid()}
	var err error
	if p.Boot, p.Namespace, err = counting(); err == nil {
		p.Started, err = started(p.PID)
	}
	if err != nil {
		return process{}
	}
	return p
}

// ended tells whether p is known to be gone. It is false where p cannot be
// seen from here, or it cannot be known.
func (p process) ended() bool {
	boot, namespace, err := counting()
	if err != nil || p.PID <= 0 || p.Boot != boot || p.Namespace != namespace {
		return false
	}
	// Where /proc hides the processes of others, the signal still tells.
	if errors.Is(unix.Kill(p.PID, 0), unix.ESRCH) {
		return true
	}
	now, err := started(p.PID)
	return err == nil && now != p.Started
}

func counting() (boot, namespace string, err error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", "", err
	}
	namespace, err = os.Readlink("/proc/self/ns/pid")
	return strings.TrimSpace(string(id)), namespace, err
}

// started returns when a process began. Its name, in parentheses, may hold
// anything, so fields are counted behind the last one.
func started(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	const field = 22 - 3 // the first behind the name is the third
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= field {
		return "", fmt.Errorf("/proc/%d/stat has %d fields behind the name", pid, len(fields))
	}
	return fields[field], nil
}
