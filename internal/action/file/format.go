package file

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/yamldoc"
)

// interpret reads data, the content of path, in a format: text for raw, value
// for json, yaml and lines, neither for none.
func interpret(path string, data []byte, format string) (text string, value any, err error) {
	if format == "none" {
		return "", nil, nil
	}
	if !utf8.Valid(data) {
		return "", nil, &action.Error{
			Reason: reasonNotText, Effect: action.ExtentNone, Remedy: "use format: none to get its digest only",
			Err: fmt.Errorf("read file %q: it is not UTF-8 text", path),
		}
	}
	switch format {
	case "json":
		value, err = readJSON(path, data)
	case "yaml":
		value, err = readYAML(path, data)
	case "lines":
		value = lines(string(data))
	default:
		text = string(data)
	}
	return text, value, err
}

func readJSON(path string, data []byte) (any, error) {
	value, err := action.ParseJSON(data)
	if err != nil {
		return nil, &action.Error{
			Reason: reasonNotJSON, Effect: action.ExtentNone, Remedy: "mend the file or use another format",
			Err: fmt.Errorf("read file %q as JSON: %w", path, err),
		}
	}
	return value, nil
}

func readYAML(path string, data []byte) (any, error) {
	node, problems := yamldoc.Parse(path, data, yamldoc.DefaultLimits())
	if problems.HasErrors() {
		return nil, &action.Error{
			Reason: reasonNotYAML, Effect: action.ExtentNone, Remedy: "mend the file or use another format",
			Err: errors.New("read as YAML: " + problems[0].String()),
		}
	}
	return node.Plain(), nil
}

// lines returns the lines of text without their ends.
func lines(text string) []any {
	list := []any{}
	for line := range strings.Lines(text) {
		list = append(list, strings.TrimRight(line, "\r\n"))
	}
	return list
}
