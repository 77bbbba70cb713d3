package yamldoc

// The codes of the Diagnostics of this package.
const (
	// CodeTooLarge: more bytes, values or levels than are read.
	CodeTooLarge = "TooLarge"
	// CodeInvalidText: bytes that are not UTF-8, or control characters.
	CodeInvalidText = "InvalidText"
	// CodeInvalidYAML: text that is not YAML.
	CodeInvalidYAML = "InvalidYAML"
	// CodeTab: a tab in the indentation.
	CodeTab = "TabIndentation"
	// CodeEmptyDocument: nothing but comments.
	CodeEmptyDocument = "EmptyDocument"
	// CodeManyDocuments: more than one document in a file.
	CodeManyDocuments = "ManyDocuments"
	// CodeDuplicateKey: a key that the mapping has already.
	CodeDuplicateKey = "DuplicateKey"
	// CodeInvalidKey: a key that is not a string.
	CodeInvalidKey = "InvalidKey"
	// CodeMergeKey: a merge key.
	CodeMergeKey = "MergeKey"
	// CodeInvalidAlias: an alias that stands within what it refers to.
	CodeInvalidAlias = "InvalidAlias"
	// CodeInvalidTag: an explicit tag such as !binary.
	CodeInvalidTag = "InvalidTag"
	// CodeInvalidNumber: a number that cannot be held, or has two readings.
	CodeInvalidNumber = "InvalidNumber"
	// CodeUnknownKey: a key that the document does not have there.
	CodeUnknownKey = "UnknownKey"
	// CodeMissingKey: a required key that is not there.
	CodeMissingKey = "MissingKey"
	// CodeWrongType: a value of another type than the key has.
	CodeWrongType = "WrongType"
	// CodeUnknownValue: a text that is not among the permitted ones.
	CodeUnknownValue = "UnknownValue"
	// CodeInvalidDuration: a text that is not a duration above zero.
	CodeInvalidDuration = "InvalidDuration"
	// CodeInternal: Decode was called with a type that it cannot fill, which
	// CheckTags finds in a test.
	CodeInternal = "Internal"
)
