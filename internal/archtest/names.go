package archtest

import (
	"go/ast"
	"go/token"
	"path"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// publicName is a name that people outside of a package see.
type publicName struct {
	// Name is "package.Name", "package.Type.Member", "yaml:name", "json:name",
	// "flag:name" or "command:name".
	Name string
	File string
	Line int
}

// last returns the part of the name that is its own.
func (n publicName) last() string {
	return n.Name[strings.LastIndexAny(n.Name, ".:")+1:]
}

// publicNames collects the names that non-test files of internal and cmd give.
func (t *Tree) publicNames() []publicName {
	var names []publicName
	for _, f := range t.Go {
		if f.Test() || !inLayers(f.Dir()) {
			continue
		}
		add := func(at token.Pos, name string) {
			names = append(names, publicName{Name: name, File: f.Path, Line: t.Fset.Position(at).Line})
		}
		pkg := path.Base(f.Dir())
		for _, decl := range f.AST.Decls {
			declNames(decl, pkg, add)
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			tagNames(n, add)
			commandNames(n, add)
			return true
		})
	}
	return names
}

// declNames adds the exported names of one declaration.
func declNames(decl ast.Decl, pkg string, add func(token.Pos, string)) {
	export := func(id *ast.Ident, prefix string) {
		if id.IsExported() {
			add(id.Pos(), prefix+"."+id.Name)
		}
	}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		export(d.Name, pkg+receiver(d))
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				for _, id := range s.Names {
					export(id, pkg)
				}
			case *ast.TypeSpec:
				export(s.Name, pkg)
				memberNames(s, pkg, add)
			}
		}
	}
}

// memberNames adds the exported fields of a struct and methods of an
// interface.
func memberNames(s *ast.TypeSpec, pkg string, add func(token.Pos, string)) {
	var fields *ast.FieldList
	switch typ := s.Type.(type) {
	case *ast.StructType:
		fields = typ.Fields
	case *ast.InterfaceType:
		fields = typ.Methods
	default:
		return
	}
	for _, field := range fields.List {
		for _, id := range field.Names {
			if id.IsExported() {
				add(id.Pos(), pkg+"."+s.Name.Name+"."+id.Name)
			}
		}
	}
}

// receiver returns ".Type" for a method, else nothing.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return "." + x.Name
		default:
			return ""
		}
	}
}

// tagNames adds the names that struct tags give to members of documents.
func tagNames(n ast.Node, add func(token.Pos, string)) {
	field, ok := n.(*ast.Field)
	if !ok || field.Tag == nil {
		return
	}
	text, err := strconv.Unquote(field.Tag.Value)
	if err != nil {
		return
	}
	for _, key := range []string{"yaml", "json"} {
		name, _, _ := strings.Cut(reflect.StructTag(text).Get(key), ",")
		if name != "" && name != "-" {
			add(field.Tag.Pos(), key+":"+name)
		}
	}
}

// flagMethod matches the methods of a flag set that declare a flag: Bool,
// BoolP, BoolVar, BoolVarP and so on.
var flagMethod = regexp.MustCompile(
	`^(?:Bool|String|Int|Uint|Float64|Duration|Count|StringSlice|StringArray|StringToString)?(Var)?P?$`)

// commandNames adds the names of flags and commands of the command line.
func commandNames(n ast.Node, add func(token.Pos, string)) {
	switch n := n.(type) {
	case *ast.CallExpr:
		sel, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name == "" {
			return
		}
		m := flagMethod.FindStringSubmatch(sel.Sel.Name)
		if m == nil {
			return
		}
		at := len(m[1]) / len("Var")
		if name, ok := literal(n.Args, at); ok && len(n.Args) > at+1 {
			add(n.Pos(), "flag:"+name)
		}
	case *ast.KeyValueExpr:
		key, ok := n.Key.(*ast.Ident)
		if !ok || key.Name != "Use" {
			return
		}
		if use, ok := literal([]ast.Expr{n.Value}, 0); ok {
			name, _, _ := strings.Cut(use, " ")
			add(n.Pos(), "command:"+name)
		}
	}
}

// literal returns the string literal that stands at a place of an argument
// list.
func literal(args []ast.Expr, at int) (string, bool) {
	if at >= len(args) {
		return "", false
	}
	lit, ok := args[at].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}
