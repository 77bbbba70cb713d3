// Package detect finds platforms in a cluster. How a platform is recognised, and where
// what its procedure asks for can be read, stands in the procedure's detect.yaml, which
// this package reads; what a cluster is asked for is the same for all of them: releases
// of Helm, their values, and lists of objects beside them. Nothing is changed, and
// values that look like secrets are never among what was found.
package detect
