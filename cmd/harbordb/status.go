package main

import "github.com/urfave/cli/v2"

func statusCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "status",
		Usage:     "show the server, the schema version, sizes, snapshots and where each setting came from",
		UsageText: "harbordb status --harbor-config /opt/harbor/harbor.yml",
		Action: func(c *cli.Context) error {
			db, err := s.connect(c.Context)
			if err != nil {
				return err
			}
			defer db.Close()
			return s.console.print(db.Server(), func(p *page) { p.line("%s %s", db.Server().Product, db.Server().Version) })
		},
	}
}
