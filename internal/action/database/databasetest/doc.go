// Package databasetest runs real servers of PostgreSQL and MariaDB for tests: programs
// of their own on free loopback ports, with temporary folders and as a user without
// rights, that end with the tests.
package databasetest
