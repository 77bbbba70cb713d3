// Package notify delivers messages to people: to Slack and what understands its
// webhooks, by mail, to webhooks as JSON, and to the services of a library.
//
// An address is a secret: whoever knows it can write there. It is handed in as a
// value, resolved at the last moment, and stands in no error: errors say what
// went wrong and never where. Deliver returns when its context has ended, also
// when a service does not.
package notify
