package registrytest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// command is a server program, its arguments and the account that runs it
// where that is not ours.
type command struct {
	name string // of its log
	path string
	args []string
}

// launcher runs the programs of one folder. It is a shell that starts them and
// then reads from a pipe of ours: at a word it ends them, at the pipe's end,
// because the test process is gone, it removes the folder as well.
type launcher struct {
	dir   string
	cmd   *exec.Cmd
	pipe  io.WriteCloser
	ended chan error
}

// launch is the shell's program. $1 is the folder. Programs are told apart
// from the subshells that wait for them by a file with their process ID.
const launch = `cd "$1" || exit 1
for program in run/*.sh; do
	( sh "$program" >"${program%.sh}.log" 2>&1 </dev/null; echo $? >"${program%.sh}.exit" ) &
done
for program in run/*.sh; do
	until [ -s "${program%.sh}.pid" ]; do sleep 0.01; done
done
gone=yes
if read -r _; then gone=; fi
signal() { for pid in run/*.pid; do kill "-$1" "$(cat "$pid")"; done 2>/dev/null; }
alive() { for pid in run/*.pid; do kill -0 "$(cat "$pid")" && return; done 2>/dev/null; return 1; }
signal TERM
n=0
while alive && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done
signal KILL
wait
cd /
[ -z "$gone" ] || rm -rf "$1"`

// start starts programs in dir.
func start(dir string, programs []command) (*launcher, error) {
	run := filepath.Join(dir, "run")
	if err := errors.Join(os.RemoveAll(run), os.Mkdir(run, 0o755)); err != nil {
		return nil, err
	}
	for _, p := range programs {
		line := "echo $$ >run/" + p.name + ".pid\nexec " + quote(p.path)
		for _, arg := range p.args {
			line += " " + quote(arg)
		}
		if err := os.WriteFile(filepath.Join(run, p.name+".sh"), []byte(line+"\n"), 0o644); err != nil {
			return nil, err
		}
	}
	l := &launcher{dir: dir, cmd: exec.Command("/bin/sh", "-c", launch, "launcher", dir), ended: make(chan error, 1)}
	l.cmd.Env = environment(dir)
	// A session of its own, which an interrupt at the terminal does not reach.
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var err error
	if l.pipe, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := l.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the launcher: %w", err)
	}
	go func() { l.ended <- l.cmd.Wait() }()
	return l, nil
}

// environment is all that a program sees of ours: variables such as
// AWS_CA_BUNDLE change what a server does.
func environment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "HOME=" + home, "LANG=C.UTF-8", "TZ=UTC"}
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// ready waits until all checks pass, and fails with the logs when a program
// ends or time is over.
func (l *launcher) ready(checks ...func() error) error {
	deadline := time.After(startTimeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for _, check := range checks {
		for {
			err := check()
			if err == nil {
				break
			}
			if exits, _ := filepath.Glob(filepath.Join(l.dir, "run", "*.exit")); len(exits) > 0 {
				return fmt.Errorf("%s has ended: %w\n%s", filepath.Base(exits[0]), err, l.logs())
			}
			select {
			case <-deadline:
				return fmt.Errorf("not up after %v: %w\n%s", startTimeout, err, l.logs())
			case <-tick.C:
			}
		}
	}
	return nil
}

// logs are the ends of the programs' output.
func (l *launcher) logs() string {
	const most = 2000
	var all strings.Builder
	files, _ := filepath.Glob(filepath.Join(l.dir, "run", "*.log"))
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil || len(content) == 0 {
			continue
		}
		fmt.Fprintf(&all, "--- %s:\n%s\n", filepath.Base(file), content[max(0, len(content)-most):])
	}
	return all.String()
}

// stop ends the programs and keeps the folder.
func (l *launcher) stop() error {
	_, err := io.WriteString(l.pipe, "stop\n")
	// Where the launcher has ended already, Wait has closed the pipe.
	if closed := l.pipe.Close(); !errors.Is(closed, os.ErrClosed) {
		err = errors.Join(err, closed)
	}
	return errors.Join(err, <-l.ended)
}

// close ends the programs and removes the folder.
func (l *launcher) close() error {
	return errors.Join(l.stop(), os.RemoveAll(l.dir))
}
