// Package tui shows a run on a terminal while it is driven or watched: its stages
// and steps, what goes on, what it waits for and what is held, and lets a person
// approve, pause, and look at the logs.
//
// The lines of the screen come from internal/report; this package chooses which of
// them are seen, and turns keys into requests to internal/service. The model is
// changed by messages only, so that a test can play any of them and compare frames.
package tui
