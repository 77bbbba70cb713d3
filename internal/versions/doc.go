// Package versions holds the version graph of a product: its versions, the
// edges between them, what each edge requires and risks, and the search for a
// path. It is part of the path procedure → plan → run → report.
//
// # Order
//
// Versions compare as the product compares them, not as semver says; a Scheme
// knows how. The text of a semantic version is read by
// github.com/Masterminds/semver/v3, which also orders pre-releases. Its
// constraints are not used: they know neither dates nor names, hide
// pre-releases depending on how a bound is written, and have no idea of the
// release line of a product. A Constraint here is a plain range in the order
// of the scheme.
//
// # Edges
//
// An edge speaks of all pairs of versions that its two constraints match. Of
// one pair several edges may speak, and this is how they add up:
//
//   - forbidden beats everything: the pair is never used; only where another
//     edge names exactly the same two versions do they contradict each other;
//   - migration says that the pair is no upgrade at all, and may name the
//     procedure to use instead; an upgrade or waypoint edge that speaks of the
//     same pair contradicts it;
//   - upgrade and waypoint make the pair usable; requirements and risks of all
//     of them accumulate, properties must agree;
//   - waypoint says beside this that whoever has been at the first version of
//     the pair must visit the second one before anything beyond it.
//
// "Beyond W" is every later version in an ordered scheme; where names are not
// ordered it is what can be reached from W. A pair that leads back is never
// used in an ordered scheme.
//
// The package is pure. A Graph does not change after Load, except by Check,
// which must not run at the same time as anything else on the same Graph.
package versions
