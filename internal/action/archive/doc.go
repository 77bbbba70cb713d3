// Package archive is the family of actions that save folders and database files
// of this machine, prove the backups, and bring them back.
package archive
