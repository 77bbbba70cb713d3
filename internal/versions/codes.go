package versions

// The codes of the Diagnostics of this package, beside those of yamldoc and
// expr.
const (
	// CodeUnsupportedVersion: an apiVersion that this package does not read.
	CodeUnsupportedVersion = "UnsupportedAPIVersion"
	// CodeTooMany: more versions, edges or risks than a graph may have.
	CodeTooMany = "TooMany"
	// CodeInvalidScheme: options that do not go together.
	CodeInvalidScheme = "InvalidScheme"
	// CodeInvalidVersion: a text that is no version of the scheme.
	CodeInvalidVersion = "InvalidVersion"
	// CodeDuplicateVersion: a version or alias that another version has.
	CodeDuplicateVersion = "DuplicateVersion"
	// CodeInvalidConstraint: a text that is no constraint of the scheme.
	CodeInvalidConstraint = "InvalidConstraint"
	// CodeUnknownVersion: a side of an edge that no version of the graph matches.
	CodeUnknownVersion = "UnknownVersion"
	// CodeEmptyEdge: an edge that speaks of no pair of versions.
	CodeEmptyEdge = "EmptyEdge"
	// CodeInvalidEdge: keys of an edge that do not go with its kind.
	CodeInvalidEdge = "InvalidEdge"
	// CodeMissingWhy: a forbidden or migration edge without a reason.
	CodeMissingWhy = "MissingWhy"
	// CodeContradiction: two edges that cannot both be true of a pair.
	CodeContradiction = "Contradiction"
	// CodeInvalidName: a name that cannot be used.
	CodeInvalidName = "InvalidName"
	// CodeDuplicateName: a name that is given twice where it must be unique.
	CodeDuplicateName = "DuplicateName"
	// CodeInvalidProperty: a declaration or a value of a property that is wrong.
	CodeInvalidProperty = "InvalidProperty"
	// CodeMissingProperty: a hop without a value for a property that it must have.
	CodeMissingProperty = "MissingProperty"
	// CodeInvalidDate: a day of release that is no day.
	CodeInvalidDate = "InvalidDate"
	// CodeInvalidURL: an address that is not one of the web.
	CodeInvalidURL = "InvalidURL"
	// CodeUnknownFact: a requirement over a fact that the procedure does not observe.
	CodeUnknownFact = "UnknownFact"
)
