package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/internal/fault"
)

// silentServer accepts connections and never answers. Each of them is sent to
// the channel.
func silentServer(t *testing.T) (dsn string, connections <-chan net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 10)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	return "postgres://u@" + listener.Addr().String() + "/registry?sslmode=disable", accepted
}

// asHarbordb is this test binary run as the command.
func asHarbordb(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{Path: self, Args: append([]string{"harbordb"}, args...), Env: []string{"HOME=/nonexistent"}}
}

func TestASignalStopsTheWork(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			dsn, connections := silentServer(t)
			var stdout, stderr strings.Builder
			c := asHarbordb(t, "status", "--dsn", dsn, "-o", "json")
			c.Stdout, c.Stderr = &stdout, &stderr
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			<-connections
			if err := c.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = c.Wait() // the exit code tells
			if code := c.ProcessState.ExitCode(); code != 130 {
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(stderr.String(), "interrupted") || !strings.Contains(stdout.String(), `"code": 130`) {
				t.Errorf("stderr %q, stdout %q", stderr.String(), stdout.String())
			}
		})
	}
}

// The first signal cannot end a process that is stuck, here because nobody
// reads its stderr; the second does.
func TestASecondSignalEndsAProcessThatIsStuck(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	fill(t, writer)
	dsn, connections := silentServer(t)
	c := asHarbordb(t, "status", "--dsn", dsn)
	c.Stderr = writer
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	<-connections
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-ended:
			if code := c.ProcessState.ExitCode(); code != 130 {
				t.Errorf("exit code %d", code)
			}
			return
		case <-again.C:
			if err := c.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
		}
	}
}

// fill writes into a pipe until no byte more fits.
func fill(t *testing.T, pipe *os.File) {
	t.Helper()
	raw, err := pipe.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 4096)
	err = raw.Write(func(fd uintptr) bool {
		for {
			if _, err := syscall.Write(int(fd), chunk); err == syscall.EAGAIN {
				if len(chunk) == 1 {
					return true
				}
				chunk = chunk[:1]
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAQuestionCanBeInterrupted(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	c, _, stderr := testConsole(tableFormat)
	c.stdin = reader
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.ask(ctx, "Sure? "); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if stderr.String() != "Sure? \n" {
		t.Errorf("stderr has %q", stderr)
	}
}

func TestUnconfirmedIsRefused(t *testing.T) {
	c, _, _ := testConsole(jsonFormat)
	s := &session{console: c}
	app := sampleApp()
	restore := app.Command("restore")
	var got error
	restore.Action = func(c *cli.Context) error {
		_, got = s.confirm(c, plan{value: 1, text: func(p *page) { p.line("a plan") }, question: "Go?"})
		return nil
	}
	if err := app.Run([]string{"harbordb", "restore"}); err != nil {
		t.Fatal(err)
	}
	if fault.KindOf(got) != fault.Refused || !strings.Contains(fault.HintOf(got), "--yes") {
		t.Errorf("got %v", got)
	}
}
