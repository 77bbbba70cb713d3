package action_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
)

func TestParseJSON(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		data    string
		want    any
		wantErr string
	}{
		"Whole":    {data: `{"a":[1,-2,9007199254740993],"b":null,"c":true}`, want: map[string]any{"a": []any{int64(1), int64(-2), int64(9007199254740993)}, "b": nil, "c": true}},
		"Fraction": {data: `1.5`, want: 1.5},
		"Large":    {data: `18446744073709551616`, want: float64(18446744073709551616)},
		"Spaces":   {data: " \n\"x\"\n ", want: "x"},
		"TooLarge": {data: `[1e999]`, wantErr: "out of range"},
		"Empty":    {data: " ", wantErr: "the document is empty"},
		"Cut":      {data: `{"a":`, wantErr: "unexpected EOF"},
		"More":     {data: `{} {}`, wantErr: "more behind the document"},
		"Comma":    {data: `[1,]`, wantErr: "invalid character"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := action.ParseJSON([]byte(tc.data))
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("got %v, want it to hold %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzDecode gives arbitrary JSON objects as input. Either they are refused as
// InvalidInput in one line, or what the action saw encodes to values that are
// accepted again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"wall":"n"}`, `{"wall":"n","coats":3.0,"dry":"1h","strip":{"heat":1}}`, `{"wall":"n","coats":9e18}`,
		`{"wall":null}`, `{"wall":"n","tools":[null]}`, `{"wall":"n","extra":{"a":[[]]}}`, `{"WALL":"n"}`,
		`{"wall":"n","labels":{"":""}}`, `{"wall":"\u0000","coats":-1}`, `[]`, `{"wall":"n","strip":[]}`,
	} {
		f.Add([]byte(seed))
	}
	a := action.Define(paint())
	f.Fuzz(func(t *testing.T, data []byte) {
		var in map[string]any
		if json.Unmarshal(data, &in) != nil {
			return // not JSON
		}
		out, err := a.Run(t.Context(), action.Env{}, in, nil)
		if err != nil {
			failure, ok := errors.AsType[*action.Error](err)
			if !ok || failure.Reason != action.ReasonInvalidInput || strings.ContainsAny(err.Error(), "\r\n") {
				t.Fatalf("got %v, want one line with InvalidInput", err)
			}
			return
		}
		seen, ok := out["seen"].(map[string]any)
		if !ok {
			t.Fatalf("the output has no object seen: %v", out)
		}
		if _, err := a.Run(t.Context(), action.Env{}, seen, nil); err != nil && len(seen) == len(in) {
			t.Fatalf("%v was accepted, and what was seen of it was not: %v", in, err)
		}
	})
}
