// Command bench runs the benchmarks and prints them as a table with the target
// that each must reach. The targets stand in targets.txt beside this program.
// It fails when a target is missed or was not measured.
//
//	bench -root DIR [-benchtime 1s]
package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

//go:embed targets.txt
var targetsFile string

func main() {
	root := flag.String("root", ".", "folder of the main module")
	benchtime := flag.String("benchtime", "1s", "time of each benchmark, as go test takes it")
	flag.Parse()
	if err := run(*root, *benchtime, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(root, benchtime string, out io.Writer) error {
	targets, err := parseTargets(targetsFile)
	if err != nil {
		return err
	}
	results, err := benchmarks(root, benchtime)
	if err != nil {
		return err
	}
	commands, err := measureCommands(root, targets)
	if err != nil {
		return err
	}
	rows, bad := compare(targets, append(commands, results...))
	if err := write(out, rows); err != nil {
		return err
	}
	if bad > 0 {
		return fmt.Errorf("%d targets were missed or not measured", bad)
	}
	return nil
}

// runs is how often each benchmark is repeated; the fastest run counts.
const runs = "3"

// benchmarks runs go test -bench on the packages that have benchmarks.
func benchmarks(root, benchtime string) ([]result, error) {
	packages, err := packagesWithBenchmarks(root)
	if err != nil || len(packages) == 0 {
		return nil, err
	}
	args := []string{"test", "-run", "^$", "-bench", ".", "-benchmem", "-count", runs, "-benchtime", benchtime}
	args = append(args, packages...)
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	var stdout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go test -bench: %w\n%s", err, stdout.String())
	}
	return parseResults(&stdout)
}

func packagesWithBenchmarks(root string) ([]string, error) {
	var packages []string
	for _, top := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d os.DirEntry, err error) error {
			switch {
			case errors.Is(err, os.ErrNotExist):
				return nil
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "testdata":
				return filepath.SkipDir
			case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil || !bytes.Contains(text, []byte("\nfunc Benchmark")) {
				return err
			}
			dir, err := filepath.Rel(root, filepath.Dir(path))
			packages = append(packages, "./"+filepath.ToSlash(dir))
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("look for benchmarks: %w", err)
		}
	}
	slices.Sort(packages)
	return slices.Compact(packages), nil
}

// measureCommands starts bin/refit for every target whose name is a command,
// and takes the median: the first start reads the program from disk.
func measureCommands(root string, targets []target) ([]result, error) {
	program, err := filepath.Abs(filepath.Join(root, "bin", "refit"))
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "refit-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	procedure, err := writeProcedure(dir, 2000)
	if err != nil {
		return nil, err
	}
	var results []result
	for _, t := range targets {
		args, ok := strings.CutPrefix(t.Name, "refit ")
		if !ok {
			continue
		}
		took, err := median(program, strings.Fields(strings.ReplaceAll(args, procedurePlaceholder, procedure)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		results = append(results, result{Name: t.Name, Values: map[string]float64{"ns/op": float64(took)}})
	}
	return results, nil
}

func median(program string, args []string) (time.Duration, error) {
	const times = 21
	took := make([]time.Duration, times)
	for i := range took {
		start := time.Now()
		if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%w: %s", err, out)
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[times/2], nil
}

func write(out io.Writer, rows [][]string) error {
	w := bufio.NewWriter(out)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(table, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return w.Flush()
}
