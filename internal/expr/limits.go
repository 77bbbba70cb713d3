package expr

// The limits of expressions. All of them are far above what a procedure needs;
// they bound time and memory for whatever somebody may write.
const (
	// MaxSource is the greatest length of one expression in bytes.
	MaxSource = 16 << 10
	// MaxDepth is how deeply the parts of an expression may be nested.
	MaxDepth = 100
	// MaxCost is how many steps one evaluation of an expression may take. A
	// step is about the work of one selection, one comparison or ten bytes of
	// a string.
	MaxCost = 1_000_000
	// MaxMembers is how many values a list or map may hold that an expression
	// builds, with everything inside it; ten bytes of a string count as one.
	MaxMembers = 1_000_000
	// MaxText is the greatest length in bytes of a string that a function
	// builds.
	MaxText = 8 << 20
	// MaxResultBytes is the greatest size of what a Template evaluates to: the
	// bytes of all its strings and keys.
	MaxResultBytes = 8 << 20
	// MaxResultNodes is how many values the result of a Template may hold.
	MaxResultNodes = 200_000
)

const (
	// maxRange is how many members lists.range makes at most.
	maxRange = 100_000
	// maxPairs is how many comparisons of members one call may make.
	maxPairs = 1_000_000
	// maxPattern is the greatest size of a compiled regular expression.
	maxPattern = 1_000
	// maxUntracked is how many nodes an expression without loops may have to
	// be evaluated without counting its steps: each node is evaluated at most
	// once, and no function makes much out of little.
	maxUntracked = 128
)

// The codes of the Diagnostics of this package.
const (
	// CodeUnterminated: a ${ without its }.
	CodeUnterminated = "UnterminatedExpression"
	// CodeEmptyExpression: a ${} with nothing in it.
	CodeEmptyExpression = "EmptyExpression"
	// CodeTooComplex: an expression beyond the limits.
	CodeTooComplex = "ExpressionTooComplex"
	// CodeInvalidExpression: text that is not an expression, or one that can
	// never be evaluated.
	CodeInvalidExpression = "InvalidExpression"
	// CodeUnknownReference: a variable that is not declared.
	CodeUnknownReference = "UnknownReference"
	// CodeUnknownField: a field that an object does not have.
	CodeUnknownField = "UnknownField"
	// CodeUnknownFunction: a function that does not exist.
	CodeUnknownFunction = "UnknownFunction"
	// CodeTypeMismatch: a value of another type than is needed.
	CodeTypeMismatch = "TypeMismatch"
	// CodeMissingField: a required field that is not given.
	CodeMissingField = "MissingField"
	// CodeUnknownValue: a text that is not among the permitted ones.
	CodeUnknownValue = "UnknownValue"
	// CodeInvalidDuration: a text that is not a duration.
	CodeInvalidDuration = "InvalidDuration"
	// CodeDivisionByZero: a division by a zero that is written out.
	CodeDivisionByZero = "DivisionByZero"
	// CodeExpressionInKey: a key with a ${…}, which stays as it is.
	CodeExpressionInKey = "ExpressionInKey"
	// CodeInternal: a fault of Refit itself.
	CodeInternal = "Internal"
)
