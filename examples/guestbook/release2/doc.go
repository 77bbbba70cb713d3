// Package release2 is what release 2.0.0 of the guestbook has of its own: authors have a place of their own, and
// entries can be searched.
package release2
