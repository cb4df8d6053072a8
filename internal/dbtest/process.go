package dbtest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// command is a server program, ready to be started.
type command struct {
	path string
	args []string
	env  []string // beside the minimal environment
	// quit is the signal that ends the server fast and in order.
	quit syscall.Signal
}

// process is a server's main process and the watchdog that ends it, should
// the test process die first. The watchdog reads process IDs from a pipe; at
// its end it kills the last one and removes the folder.
type process struct {
	dir   string
	watch io.WriteCloser

	mu   sync.Mutex
	cmd  *exec.Cmd
	quit syscall.Signal
	done chan struct{} // closed when cmd has been waited for
}

// watchdog runs in a session of its own, so that an interrupt at the terminal
// does not reach it. $1 is the folder; an empty line means that nothing runs.
const watchdog = `trap '' INT TERM HUP
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
	kill -QUIT "$pid"
	n=0
	while kill -0 "$pid" && [ $n -lt 20 ]; do sleep 0.1; n=$((n+1)); done
	kill -KILL "$pid"
fi
rm -rf "$1"`

func newProcess(dir string) (*process, error) {
	dog := exec.Command("/bin/sh", "-c", watchdog, "watchdog", dir)
	dog.Dir = "/"
	dog.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	watch, err := dog.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := dog.Start(); err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	go dog.Wait() // reaped, not awaited: it lives as long as the server
	return &process{dir: dir, watch: watch}, nil
}

// start runs c as owner, with its output in the file log.
func (p *process) start(c command, owner owner, log string) error {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(c.path, c.args...)
	cmd.Dir, cmd.Env = p.dir, append(environment(p.dir), c.env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = owner.attributes()
	cmd.SysProcAttr.Setsid = true
	if err := cmd.Start(); err != nil {
		return err
	}
	fmt.Fprintln(p.watch, cmd.Process.Pid)
	done := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.quit, p.done = cmd, c.quit, done
	p.mu.Unlock()
	go func() {
		cmd.Wait()
		fmt.Fprintln(p.watch)
		close(done)
	}()
	return nil
}

// pid is 0 when the process is down.
func (p *process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	select {
	case <-p.done:
		return 0
	default:
		return p.cmd.Process.Pid
	}
}

// exited is closed when the process that was started last has ended.
func (p *process) exited() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

func (p *process) stop() error {
	pid := p.pid()
	if pid == 0 {
		return nil
	}
	syscall.Kill(pid, p.quit)
	select {
	case <-p.exited():
		return nil
	case <-time.After(startTimeout):
		return fmt.Errorf("process %d does not end on %v: %w", pid, p.quit, p.kill())
	}
}

// kill ends the process and its children at once: a PostgreSQL backend that
// outlived its postmaster for a moment would keep the data folder locked.
func (p *process) kill() error {
	pid := p.pid()
	if pid == 0 {
		return nil
	}
	all := append([]int{pid}, children(pid)...)
	for _, pid := range all {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	<-p.exited()
	for _, pid := range all[1:] {
		if err := gone(pid); err != nil {
			return err
		}
	}
	return nil
}

// close ends the process, if need be, and its watchdog, and removes the
// folder.
func (p *process) close() error {
	p.stop()
	err := os.RemoveAll(p.dir)
	p.watch.Close()
	return err
}

// children lists the processes whose parent is pid.
func children(pid int) []int {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	var list []int
	for _, folder := range folders {
		child, _ := strconv.Atoi(filepath.Base(folder))
		if _, parent := status(child); parent == pid {
			list = append(list, child)
		}
	}
	return list
}

// status is a process's state ("S", "Z") and parent; the state is empty when
// there is no such process.
func status(pid int) (state string, parent int) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	// pid (name) state ppid …; the name may hold blanks and brackets.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return "", 0
	}
	parent, _ = strconv.Atoi(fields[1])
	return fields[0], parent
}

// gone waits until process pid has ended. One that nobody has waited for, as
// happens in a container without an init, counts as ended.
func gone(pid int) error {
	return poll(func() error {
		if state, _ := status(pid); state != "" && state != "Z" {
			return fmt.Errorf("process %d is still there", pid)
		}
		return nil
	}, nil)
}

// poll calls try every few milliseconds until it returns nil; its last error
// comes back when startTimeout has passed or stop is closed.
func poll(try func() error, stop <-chan struct{}) error {
	deadline := time.After(startTimeout)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-deadline:
			return err
		case <-stop:
			return err
		case <-tick.C:
		}
	}
}
