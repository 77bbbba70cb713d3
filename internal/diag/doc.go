// Package diag describes problems in what a person wrote.
//
// A Diagnostic says where (file, line, column), what is wrong and what to do.
// Loaders collect all Diagnostics of a file and return them together, so that
// an author mends a file in one go. The package is pure: it holds values and
// renders them as text, it never reads the files it names.
package diag
