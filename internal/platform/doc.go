// Package platform reads the platform file: which platform is upgraded, with
// which procedure, on which targets, with which inputs, in which windows.
//
// Together with package procedure it is the WRITE part of the path
// procedure → plan → run → report. Load checks what the file says by itself,
// Check what it says to the procedure; ResolveInputs and ResolveTargets give
// the values that planning works with. The package is pure: it opens no file
// and knows no time zones, so the names of zones are checked by CheckZones
// with a function that the caller gives.
package platform
