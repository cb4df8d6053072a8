package database_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/harbordb/harbordb/database"
)

// startPooler stands before a PostgreSQL server and does the one thing by
// which a pooler can be told from a server: it announces a process of its own
// making. It returns its port.
func startPooler(t *testing.T, server database.Settings) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go pool(client, fmt.Sprintf("%s:%d", server.Host, server.Port))
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func pool(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(server, client)
		server.(*net.TCPConn).CloseWrite()
	}()
	messages := bufio.NewReader(server)
	for {
		header := make([]byte, 5)
		if _, err := io.ReadFull(messages, header); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(header[1:])-4)
		if _, err := io.ReadFull(messages, body); err != nil {
			return
		}
		if header[0] == 'K' {
			binary.BigEndian.PutUint32(body, binary.BigEndian.Uint32(body)+1)
		}
		if _, err := client.Write(append(header, body...)); err != nil {
			return
		}
	}
}
