// Package http holds the actions that ask web addresses.
//
// No message of this package holds credentials: addresses are shown without
// user, query and fragment, and values of headers are never shown.
package http
