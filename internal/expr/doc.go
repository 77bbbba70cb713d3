// Package expr compiles and evaluates the CEL expressions that stand in ${…}
// in procedures, version graphs and platform files.
//
// An Env declares the variables with their types; CompileTemplate checks a YAML
// value and the expressions in it before anything runs, so that a typo in the
// name of a fact is a Diagnostic with a position and not a failure at night.
// Expressions have a cost limit; they cannot loop for ever, read files, clocks
// or the network. The package is pure; compiled values may be used by several
// goroutines.
//
// # Templates
//
// A string that is exactly one ${…} keeps the type of its expression: the
// value of "${inputs.chart}" is an object. Any other string joins its texts and
// expressions, which must be strings, numbers or booleans. $${ writes a literal
// ${. Keys of mappings are never templates.
//
// # Types
//
// Objects have known fields: selecting a field that is not declared is an
// error when compiling. A field that is not required may be selected and may be
// asked for with has(); selecting it where it is not there, or is null, is an
// EvalError. Objects without declared fields and values of type any are checked
// when they are evaluated. Names that are not identifiers are selected with an
// index: steps["stop-hub"].output. A duration is a string; duration(x) turns
// it into a value that can be added and compared. A secret is a reference that
// can only be passed on whole.
//
// # Functions
//
// Operators: + - * / % == != < <= > >= && || ! ?: in, and [ ] for members of
// lists and maps. Macros: has, all, exists, exists_one, filter, map, sortBy;
// maps are gone through in the order of their keys, so that the same values
// always give the same plan.
//
//   - Conversion: bool, bytes, double, duration, dyn, int, string, timestamp,
//     type, uint.
//   - Strings: charAt, contains, endsWith, format, indexOf, join, lastIndexOf,
//     lowerAscii, matches (RE2), replace, reverse, size, split, startsWith,
//     strings.quote, substring, trim, upperAscii.
//   - Lists: distinct, flatten, hasAll, hasAny, hasExactly, hasOnly, join,
//     lists.range, reverse, size, slice, sort, sortBy; sets.contains,
//     sets.equivalent, sets.intersects.
//   - Numbers: math.abs, math.bitAnd, math.bitNot, math.bitOr,
//     math.bitShiftLeft, math.bitShiftRight, math.bitXor, math.ceil,
//     math.floor, math.greatest, math.isFinite, math.isInf, math.isNaN,
//     math.least, math.round, math.sign, math.sqrt, math.trunc.
//   - Times, always in UTC: getDate, getDayOfMonth, getDayOfWeek,
//     getDayOfYear, getFullYear, getHours, getMilliseconds, getMinutes,
//     getMonth, getSeconds.
//   - Encodings: base64.decode, base64.encode, json.encode.
//
// There is no function that reads a clock, and none that takes the name of a
// time zone, because those are read from files.
package expr
