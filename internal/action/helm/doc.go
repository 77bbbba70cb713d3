// Package helm has the actions on Helm releases, through the library of Helm
// itself: what it leaves behind is what helm would have left, so that helm lists,
// compares, upgrades and rolls back the release afterwards.
package helm
