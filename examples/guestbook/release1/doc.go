// Package release1 is what release 1.4.0 of the guestbook has of its own: entries with the name of their author.
package release1
