package dbtest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/harbordb/harbordb/database"
)

// Pooler stands before the PostgreSQL server that settings name over TCP,
// without TLS, and does the one thing by which a connection pooler can be told
// from a server: it announces a process of its own making. It returns the same
// settings by way of it.
func Pooler(t testing.TB, settings database.Settings) database.Settings {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	address := fmt.Sprintf("%s:%d", settings.Host, settings.Port)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go pool(client, address)
		}
	}()
	settings.Host, settings.Port = "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
	settings.TLS = database.TLS{Mode: database.TLSDisable}
	return settings
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
