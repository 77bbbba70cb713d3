package expr

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// measureID is the name under which the size of a value is charged.
const measureID = "@measure"

// programOptions returns how an expression is evaluated. An expression that
// loops, or is long, has its steps counted and each value that it builds
// measured. Small ones without loops are bounded by their own length and by
// the guards, and are three times as fast without.
func programOptions(tracked bool) []cel.ProgramOption {
	if !tracked {
		return []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	}
	return []cel.ProgramOption{
		cel.CustomDecoratorV2(measure),
		cel.EvalOptions(cel.OptOptimize),
		cel.CostTracking(pricing{}),
		cel.CostLimit(MaxCost),
	}
}

// measure wraps the nodes of a program that build lists and maps: literals,
// loops and +. Values can share their parts, so that a few doublings make one
// that is larger than the memory without using any; comparing or writing it
// would never end.
func measure(node interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	switch n := node.(type) {
	case interpreter.InterpretableAttribute, interpreter.InterpretableConst:
		return node, nil
	case interpreter.InterpretableCall:
		if n.Function() != operators.Add {
			return node, nil
		}
	}
	return &measured{node}, nil
}

// measured is a node whose values are measured. Maps that are written out do
// not come from the adapter, so they get their order here.
type measured struct{ interpreter.InterpretableV2 }

// Exec implements interpreter.InterpretableV2.
func (m *measured) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	value := m.InterpretableV2.Exec(frame)
	switch value.(type) {
	case traits.MutableLister, traits.MutableMapper:
		// The result of a loop in the making: it grows by one member a round,
		// and is measured when the loop has ended.
		return value
	case traits.Lister, traits.Mapper:
	default:
		return value
	}
	size := sizeOf(value)
	if size > MaxMembers {
		return types.WrapErr(limitf("builds a value of more than %d members", MaxMembers))
	}
	if tracker := frame.CostTracker(); tracker != nil {
		tracker.EvalUnary(frame, m.ID(), measureCall{}, types.Int(size), value)
	}
	return ordered(value)
}

// Eval implements interpreter.Interpretable.
func (m *measured) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, m.Exec)
}

// measureCall is the call that stands for measuring a value.
type measureCall struct{}

// Function implements cost.Call.
func (measureCall) Function() string { return measureID }

// OverloadID implements cost.Call.
func (measureCall) OverloadID() string { return measureID }

// pricing charges the calls whose work CEL does not know: comparisons and
// searches, which go to the bottom of their values, format, which writes all of
// them, and calls whose overload is chosen when they are evaluated, because the
// types were not known before.
type pricing struct{}

var _ cost.ActualCostEstimator = pricing{}

// CallCost implements cost.ActualCostEstimator.
func (pricing) CallCost(function, overload string, args []ref.Val, result ref.Val) *uint64 {
	const (
		membersPerStep = 4
		bytesPerStep   = 10
	)
	charged := uint64(1)
	switch {
	case function == measureID:
		size, _ := args[0].(types.Int)
		charged = uint64(max(size, 0)) / membersPerStep
	case function == operators.Equals || function == operators.NotEquals:
		if len(args) == 2 && isCollection(args[0]) && isCollection(args[1]) {
			charged += uint64(min(sizeOf(args[0]), sizeOf(args[1])))
		} else {
			charged += uint64(max(0, min(length(args, 0), length(args, 1)))) / bytesPerStep
		}
	case function == operators.In:
		if len(args) == 2 {
			if _, isList := args[1].(traits.Lister); isList {
				charged += uint64(sizeOf(args[1]))
			}
		}
	case overload == "" || function == "format":
		for i := range args {
			charged += uint64(max(0, length(args, i))) / bytesPerStep
		}
		charged += uint64(max(0, length([]ref.Val{result}, 0))) / bytesPerStep
	default:
		return nil // CEL knows
	}
	return &charged
}

func isCollection(value ref.Val) bool {
	switch value.(type) {
	case traits.Lister, traits.Mapper:
		return true
	default:
		return false
	}
}

// sizeOf counts the members of a value with everything inside them, at most a
// little more than MaxMembers. Lists and maps remember their size.
func sizeOf(value ref.Val) uint32 {
	return types.NewSizeCalculator(
		types.SizeCalculatorMaxDepth(2*MaxDepth),
		types.SizeCalculatorMaxTraversal(MaxMembers),
	).ApproximateAggregateSize(value).Size
}
