package house

import (
	"go/ast"
	"go/token"
	"strconv"
)

// stringLiterals returns all string literals of a file.
func stringLiterals(f *ast.File) (all []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				all = append(all, s)
			}
		}
		return true
	})
	return all
}
