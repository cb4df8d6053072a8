// Command gotest runs `go test` with the arguments that it is given, prints
// what `go test` prints, and fails when a test was skipped, because a test that
// was not run proves nothing, and when any output, that of passed tests too,
// shows the password of a test server or store.
//
// It must never change what is tested or hide output of a failure.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		// go test has said itself what failed.
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
			fmt.Println("gotest:", err)
		}
		fmt.Println("FAIL")
		os.Exit(1)
	}
}

func run(args []string) error {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	r := newReporter(os.Stdout)
	err = r.read(out)
	if err != nil {
		// go test must not wait for a reader that is gone.
		cmd.Process.Kill()
		cmd.Wait()
		return err
	}
	if err := cmd.Wait(); err != nil {
		return err
	}
	return r.verdict()
}
