package main

import (
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/refitproject/refit/internal/service"
)

// person says who uses the program, as the machine knows it: who has approved
// what is kept in the history.
func person() (service.Person, error) {
	u, err := user.Current()
	if err != nil {
		return service.Person{}, fmt.Errorf("ask the machine for your name: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return service.Person{}, fmt.Errorf("ask the machine for its name: %w", err)
	}
	p := service.Person{Name: u.Username, Host: host, From: from()}
	ids, err := u.GroupIds()
	if err != nil {
		return p, nil //nolint:nilerr // A person without groups may do what asks for no group.
	}
	for _, id := range ids {
		if g, err := user.LookupGroupId(id); err == nil {
			p.Groups = append(p.Groups, g.Name)
		}
	}
	return p, nil
}

// from says from where: the terminal, and the address behind it.
func from() string {
	text := "no terminal"
	if name, err := os.Readlink("/proc/self/fd/0"); err == nil {
		pts, ok := strings.CutPrefix(name, "/dev/")
		if ok && (strings.HasPrefix(pts, "pts/") || strings.HasPrefix(pts, "tty")) {
			text = pts
		}
	}
	if address, _, ok := strings.Cut(os.Getenv("SSH_CONNECTION"), " "); ok {
		text += " over " + address
	}
	return text
}
