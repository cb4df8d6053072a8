package harbor

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// node is a value in a YAML file.
//
// Harbor's installer reads harbor.yml with PyYAML, which follows YAML 1.1: a
// password written as 0123 is the number 83 to it, yes is True, and so they
// arrive in core's environment. The text of a node is what Harbor makes of it.
type node struct {
	value   ast.Node
	anchors map[string]ast.Node
}

// parseYAML reads a document that is a mapping.
func parseYAML(data []byte) (node, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		// The error would quote lines of the file, passwords included.
		return node{}, errors.New("it is not valid YAML")
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return node{}, errors.New("it is empty")
	}
	n := node{value: file.Docs[0].Body, anchors: map[string]ast.Node{}}
	ast.Walk(anchorFinder(n.anchors), n.value)
	if len(n.pairs()) == 0 {
		return node{}, errors.New("it holds no settings")
	}
	return n, nil
}

// anchorFinder remembers what aliases may refer to.
type anchorFinder map[string]ast.Node

func (a anchorFinder) Visit(n ast.Node) ast.Visitor {
	if anchor, ok := n.(*ast.AnchorNode); ok {
		a[anchor.Name.GetToken().Value] = anchor.Value
	}
	return a
}

// plain follows anchors, aliases and tags to the value itself.
func (n node) plain() ast.Node {
	value := n.value
	for range maxDepth {
		switch v := value.(type) {
		case *ast.AnchorNode:
			value = v.Value
		case *ast.AliasNode:
			value = n.anchors[v.Value.GetToken().Value]
		case *ast.TagNode:
			value = v.Value
		default:
			return value
		}
	}
	return nil
}

// maxDepth is how deep aliases and merges are followed: they may lead to
// themselves.
const maxDepth = 10

// pairs are the entries of a mapping, those of "<<" first.
func (n node) pairs() []*ast.MappingValueNode { return n.merged(maxDepth) }

func (n node) merged(depth int) []*ast.MappingValueNode {
	if depth == 0 {
		return nil
	}
	var values []*ast.MappingValueNode
	switch v := n.plain().(type) {
	case *ast.MappingNode:
		values = v.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{v}
	}
	var merged, own []*ast.MappingValueNode
	for _, pair := range values {
		if _, ok := pair.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, node{pair.Value, n.anchors}.merged(depth-1)...)
		} else {
			own = append(own, pair)
		}
	}
	return append(merged, own...)
}

// child returns the value of a key of a mapping.
func (n node) child(key string) (node, bool) {
	var result node
	ok := false
	for _, pair := range n.pairs() {
		if pair.Key.GetToken().Value == key {
			result, ok = node{pair.Value, n.anchors}, true
		}
	}
	return result, ok
}

// keys are the keys of a mapping, in the order of the file.
func (n node) keys() []string {
	var keys []string
	for _, pair := range n.pairs() {
		keys = append(keys, pair.Key.GetToken().Value)
	}
	return keys
}

// isEmpty says that there is no value: the key alone, or an empty mapping.
func (n node) isEmpty() bool {
	switch v := n.plain().(type) {
	case nil, *ast.NullNode:
		return true
	case *ast.MappingNode:
		return len(v.Values) == 0
	}
	return false
}

// text returns the value of a key as Harbor reads it; empty where there is
// none.
func (n node) text(key string) string {
	child, ok := n.child(key)
	if !ok || child.isEmpty() {
		return ""
	}
	if literal, ok := child.plain().(*ast.LiteralNode); ok {
		return literal.Value.Value
	}
	scalar, ok := child.plain().(ast.ScalarNode)
	if !ok {
		return ""
	}
	t := scalar.GetToken()
	quoted := t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType
	if _, tagged := child.value.(*ast.TagNode); quoted || tagged {
		return t.Value
	}
	return pythonText(t.Value)
}

var (
	pythonTrue  = regexp.MustCompile(`^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$`)
	pythonFalse = regexp.MustCompile(`^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$`)
	pythonInt   = regexp.MustCompile(`^[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)$`)
	pythonSixty = regexp.MustCompile(`^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+$`)
	pythonFloat = regexp.MustCompile(`^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?$`)
)

// pythonText is how PyYAML reads an unquoted scalar and Python then prints it.
func pythonText(plain string) string {
	digits := strings.ReplaceAll(plain, "_", "")
	switch {
	case pythonTrue.MatchString(plain):
		return "True"
	case pythonFalse.MatchString(plain):
		return "False"
	case pythonInt.MatchString(plain):
		if n, ok := new(big.Int).SetString(digits, 0); ok {
			return n.String()
		}
	case pythonSixty.MatchString(plain):
		return sixties(digits)
	case pythonFloat.MatchString(plain):
		if f, err := strconv.ParseFloat(digits, 64); err == nil {
			return pythonFloatText(f)
		}
	}
	return plain
}

// sixties reads the base-60 numbers of YAML 1.1: 1:30 is 90.
func sixties(text string) string {
	sign := ""
	if text[0] == '-' {
		sign = "-"
	}
	total := new(big.Int)
	for _, part := range strings.Split(strings.TrimLeft(text, "+-"), ":") {
		n, _ := new(big.Int).SetString(part, 10)
		total.Add(total.Mul(total, big.NewInt(60)), n)
	}
	return sign + total.String()
}

// pythonFloatText is Python's repr: an exponent from 1e16 on and below 1e-4,
// else a point with at least one digit behind it.
func pythonFloatText(f float64) string {
	if abs := max(f, -f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text = fmt.Sprintf("%s.0", text)
	}
	return text
}
