package dbtest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// abandonVariable turns the test binary into a process that starts a server
// and is killed with it running.
const abandonVariable = "DBTEST_ABANDON"

func TestMain(m *testing.M) {
	if os.Getenv(abandonVariable) != "" {
		abandon()
	}
	os.Exit(Main(m))
}

func abandon() {
	start := map[string]func(Options) (*Server, error){
		"postgresql": launchPostgreSQL,
		"mariadb":    launchMariaDB,
	}[os.Getenv(abandonVariable)]
	s, err := start(Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.Dir(), s.Pid())
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

func TestServerEndsWithAKilledTest(t *testing.T) {
	for _, product := range []string{"postgresql", "mariadb"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), abandonVariable+"="+product)
		cmd.Stderr = os.Stderr
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(stdout).ReadString('\n')
		if err != nil {
			t.Fatalf("%s: no server: %v", product, err)
		}
		if cmd.Wait() == nil {
			t.Fatalf("%s: the process was not killed", product)
		}
		dir, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		if err := gone(pid); err != nil {
			t.Errorf("%s: %v", product, err)
		}
		if err := removed(dir); err != nil {
			t.Errorf("%s: %v", product, err)
		}
	}
}

func removed(dir string) error {
	return poll(func() error {
		if _, err := os.Stat(dir); err == nil {
			return fmt.Errorf("%s is still there", dir)
		}
		return nil
	}, nil)
}

func TestFailedStartLeavesNothingAndShowsTheLog(t *testing.T) {
	bin, err := postgresBin(DefaultMajor)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		product: postgreSQL{number: DefaultMajor, bin: bin},
		options: Options{Settings: []string{"no_such_setting = 1"}},
	}
	if err := s.build(); err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("got %v", err)
	}
	if err := removed(s.dir); err != nil {
		t.Error(err)
	}
}

func TestMissingServerNamesTheCommand(t *testing.T) {
	t.Setenv(serversVariable, t.TempDir())
	for name, launch := range map[string]func(Options) (*Server, error){
		"PostgreSQL 9": func(o Options) (*Server, error) { o.Major = 9; return launchPostgreSQL(o) },
		"MySQL 5.6":    launchMySQL56,
	} {
		_, err := launch(Options{})
		if err == nil || err.Error() != name+" is not installed; run: make deps" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
