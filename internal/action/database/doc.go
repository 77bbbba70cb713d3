// Package database is the family of actions that save, prove and restore databases
// of PostgreSQL, MySQL, MariaDB and SQLite, and look at what is in them.
//
// The actions ask a server themselves and let its own programs write and read what is
// saved. A restore builds the database anew beside the one in use, counts it, and then
// changes the names: what was there is kept under another name. Everything that an
// action makes carries the key of its step in its name, so that an attempt finds what
// one before has left, and Undo all of it.
package database
