package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// lookUp returns the path of the program of c. It searches the PATH that the
// program itself will have, not the one of Refit, and never the working
// directory.
func lookUp(c Program, env []string) (string, error) {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return "", notFound("", "name the program")
	}
	if info, err := os.Stat(c.Dir); err != nil || !info.IsDir() {
		return "", &action.Error{
			Reason: reasonFolderNotFound, Effect: action.ExtentNone, Remedy: "create it or correct dir",
			Err: fmt.Errorf("working folder %q is not there", c.Dir),
		}
	}
	name := c.Args[0]
	if strings.ContainsRune(name, filepath.Separator) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(c.Dir, name)
		}
		if isProgram(name) {
			return name, nil
		}
		return "", notFound(c.Args[0], "check the path, and that the file may be executed")
	}
	for _, dir := range filepath.SplitList(variable(env, "PATH")) {
		if path := filepath.Join(dir, name); filepath.IsAbs(dir) && isProgram(path) {
			return path, nil
		}
	}
	return "", notFound(name, "install it or give its path")
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

func variable(env []string, name string) string {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

func notFound(program, remedy string) error {
	return &action.Error{
		Reason: reasonProgramNotFound, Effect: action.ExtentNone, Remedy: remedy,
		Err: fmt.Errorf("program %q not found", program),
	}
}
