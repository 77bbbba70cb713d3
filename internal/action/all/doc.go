// Package all is the one list of the actions and kinds of target that Refit
// has. A new action is one file in its family and one line here.
package all
