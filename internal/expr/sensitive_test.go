package expr_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
)

// accounts are facts with sensitive members.
func accounts(tb testing.TB) *expr.Env {
	tb.Helper()
	hidden := schema.Field{Type: schema.Of(schema.String), Required: true, Sensitive: true}
	user := schema.ObjectOf(map[string]schema.Field{
		"name": required(schema.Of(schema.String)), "password": hidden,
	})
	plain := schema.ObjectOf(map[string]schema.Field{
		"name": required(schema.Of(schema.String)), "password": required(schema.Of(schema.String)),
	})
	env, err := expr.NewEnv(map[string]schema.Type{
		"inputs": schema.ObjectOf(map[string]schema.Field{
			"token": {Type: schema.Of(schema.Secret), Required: true, Sensitive: true},
			"login": required(schema.ObjectOf(map[string]schema.Field{
				"token": {Type: schema.Of(schema.Secret), Required: true, Sensitive: true},
			})),
		}),
		"observe": schema.ObjectOf(map[string]schema.Field{
			"login": required(user), "plain": required(plain),
			"users": required(schema.ListOf(user)), "teams": required(schema.MapOf(user)),
			"keys": {Type: user, Required: true, Sensitive: true},
		}),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return env
}

func TestSensitiveUses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		text   string
		want   []string
	}{
		"Selected":       {"The value is a hash.", "${observe.login.password}", []string{"3:23 observe.login.password"}},
		"ByIndex":        {"An index is a selection.", `${observe["login"]["password"]}`, []string{"3:26 observe.login.password"}},
		"InText":         {"Text holds the hash.", "x ${observe.login.password}", []string{"3:25 observe.login.password"}},
		"Compared":       {"The hash equals nothing.", "${observe.login.password == 'a'}", []string{"3:23 observe.login.password"}},
		"OfObject":       {"A sensitive object is hashed as one.", "${observe.keys.name}", []string{"3:17 observe.keys"}},
		"InLoop":         {"Members of loops have types.", "${observe.users.exists(u, u.password == 'a')}", []string{"3:35 u.password"}},
		"Collected":      {"A loop collects hashes.", "${observe.users.map(u, u.password)}", []string{"3:32 u.password"}},
		"Whole":          {"The object holds the hash.", "${observe.login}", []string{"3:17 observe.login whole result"}},
		"WholeList":      {"The list holds hashes.", "${observe.users}", []string{"3:17 observe.users whole result"}},
		"WholeFacts":     {"The facts hold the hash.", "${observe}", []string{"3:9 observe whole result"}},
		"Filtered":       {"What is left holds hashes.", "${observe.users.filter(u, u.name == 'a')[0]}", []string{"3:47 the value whole result"}},
		"Encoded":        {"The text holds the hash.", "${json.encode(observe.login)}", []string{"3:29 observe.login whole"}},
		"Untyped":        {"dyn() hides nothing.", "${dyn(observe.login)}", []string{"3:21 observe.login whole"}},
		"MixedList":      {"A list of anything hides nothing.", "${[1, observe.login]}", []string{"3:21 observe.login whole"}},
		"MixedMap":       {"A map of anything hides nothing.", "${{'a': observe.login, 'b': 1}}", []string{"3:23 observe.login whole"}},
		"Chosen":         {"One of two is still whole.", "${observe.users.size() > 1 ? observe.login : observe.users[0]}", []string{"3:34 the value whole result"}},
		"Equal":          {"Comparing compares hashes.", "${observe.login == observe.users[0]}", []string{"3:17 observe.login whole", "3:39 the value whole"}},
		"OtherMember":    {"Only the sensitive member is hidden.", "${observe.login.name}", nil},
		"SameShape":      {"Types with the same fields differ by what is hidden.", "${observe.plain.password}", nil},
		"OtherOfLoop":    {"A list may be gone through.", "${observe.users.map(u, u.name)}", nil},
		"OtherOfMap":     {"A map may be looked into.", "${observe.teams.a.name}", nil},
		"Asked":          {"That it is there is no secret.", "${has(observe.login.password)}", nil},
		"Counted":        {"How many is no secret.", "${observe.users.size() + size(observe.teams)}", nil},
		"Secret":         {"A reference is no value.", "${inputs.token}", nil},
		"SecretInObject": {"A reference is no value.", "${inputs.login}", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, u := range compile(t, accounts(t), str(tc.text), schema.Of(schema.Any)).SensitiveUses() {
				line := fmt.Sprintf("%d:%d %s", u.Pos.Line, u.Pos.Column, u.Text)
				if u.Whole {
					line += " whole"
				}
				if u.Result {
					line += " result"
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
