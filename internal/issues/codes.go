package issues

// The codes of the Diagnostics of this package, beside those of yamldoc and
// expr.
const (
	// CodeWrongKind: a document of another kind.
	CodeWrongKind = "WrongKind"
	// CodeUnsupportedVersion: an apiVersion that this package does not read.
	CodeUnsupportedVersion = "UnsupportedAPIVersion"
	// CodeTooMany: more issues than a file may have.
	CodeTooMany = "TooMany"
	// CodeTooLong: a text that is longer than a message can carry.
	CodeTooLong = "TooLong"
	// CodeBadName: an id that cannot be used.
	CodeBadName = "BadName"
	// CodeNothingToMatch: an issue that would fit every failure.
	CodeNothingToMatch = "NothingToMatch"
	// CodeTextTooShort: an exact text that fits too much.
	CodeTextTooShort = "TextTooShort"
	// CodeBadPattern: a pattern that is not RE2, holds no literal text or costs
	// too much.
	CodeBadPattern = "BadPattern"
	// CodeBadURL: an address that is not one of the web.
	CodeBadURL = "BadURL"
	// CodeNoSource: an issue of which nobody can tell where it comes from.
	CodeNoSource = "NoSource"
	// CodeEmptyValue: a text that has to say something and does not.
	CodeEmptyValue = "EmptyValue"
	// CodeOutOfRange: a number that is not permitted.
	CodeOutOfRange = "OutOfRange"
	// CodeUnknownAction: an action that this program does not have.
	CodeUnknownAction = "UnknownAction"
	// CodeFixtureMissing: an issue without a failing or without a passing fixture.
	CodeFixtureMissing = "FixtureMissing"
	// CodeFixtureMissed: a failing fixture that is not recognised, or not as what
	// it is.
	CodeFixtureMissed = "FixtureMissed"
	// CodeFixtureMatched: a passing fixture that is recognised.
	CodeFixtureMatched = "FixtureMatched"
)
