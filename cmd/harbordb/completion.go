package main

import "github.com/urfave/cli/v2"

func completionCommand(s *session) *cli.Command {
	return &cli.Command{Name: "completion", Usage: "print the completion script of a shell", ArgsUsage: "bash|zsh|fish",
		UsageText: "source <(harbordb completion bash)",
		Action:    func(c *cli.Context) error { return s.console.write("") }}
}
