package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots"
)

// recipientFlags are the public keys that a backup is encrypted to.
func recipientFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "recipient", Usage: "encrypt the snapshot to the public `KEY` age1…; may be given several times"},
		&cli.StringSliceFlag{Name: "recipients-file", Usage: "encrypt the snapshot to all public keys in `FILE`, one a line"},
	}
}

// recipients reads them; without any, the snapshot is in clear.
func recipients(c *cli.Context) ([]snapshots.Recipient, error) {
	var text strings.Builder
	for _, key := range c.StringSlice("recipient") {
		if strings.ContainsAny(key, "\n#") || strings.TrimSpace(key) == "" {
			return nil, fault.Usagef("--recipient %q is not a public key of age", key)
		}
		fmt.Fprintln(&text, strings.TrimSpace(key))
	}
	for _, file := range c.StringSlice("recipients-file") {
		content, err := readKeyFile("--recipients-file", file, io.ReadAll)
		if err != nil {
			return nil, err
		}
		if _, err := snapshots.ParseRecipients(string(content)); err != nil {
			return nil, fault.Usagef("--recipients-file %s: %w", file, err)
		}
		fmt.Fprintln(&text, string(content))
	}
	if text.Len() == 0 {
		return nil, nil
	}
	list, err := snapshots.ParseRecipients(text.String())
	if err != nil {
		return nil, fault.Usagef("--recipient: %w", err).WithHint("age-keygen makes a pair of keys and prints the public one, age1…")
	}
	return list, nil
}

// identityFlag is --identity.
func identityFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "identity", Usage: "the `FILE` with a private key, AGE-SECRET-KEY-1…, that an encrypted snapshot opens with; may be given several times"}
}

// identities reads the private keys.
func identities(c *cli.Context) ([]age.Identity, error) {
	var keys []age.Identity
	for _, file := range c.StringSlice("identity") {
		more, err := readKeyFile("--identity", file, snapshots.ParseIdentities)
		if err != nil {
			return nil, err
		}
		keys = append(keys, more...)
	}
	return keys, nil
}

// readKeyFile opens a file that a flag names and lets read read it.
func readKeyFile[T any](flag, file string, read func(io.Reader) (T, error)) (T, error) {
	var none T
	f, err := os.Open(file)
	if err != nil {
		return none, fault.Failedf("%s: %w", flag, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return none, fault.Failedf("%s: %s is a folder", flag, file)
	}
	value, err := read(io.LimitReader(f, 2<<20))
	if err != nil {
		return none, fault.Usagef("%s %s: %w", flag, file, err)
	}
	return value, nil
}
