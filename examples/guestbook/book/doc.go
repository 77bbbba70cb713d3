// Package book is what all releases of the guestbook share: the server, the
// command line, the maintenance mode, starting and stopping, the migrations.
//
// The guestbook is a small service for procedures, tutorials and tests: visitors
// write entries, which are kept in a SQLite database. It knows nothing of Refit. Its
// releases are programs of their own, in guestbook-1 and guestbook-2, and differ in
// their schema, their answers and their page.
//
// A guestbook is a folder with these files:
//
//	guestbook.json     settings: address and database; all of them have defaults
//	guestbook.db       the entries
//	maintenance.json   the maintenance mode, which outlives the server
//	guestbook.lock     locked while somebody serves the folder, and says who
//	guestbook.log      what the server says
package book
