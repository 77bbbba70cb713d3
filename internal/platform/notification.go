package platform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// Notification is one channel over which people hear of a run.
type Notification struct {
	Pos     diag.Position  `yaml:"-"`
	Kind    yamldoc.Text   `yaml:"kind,required" enum:"mail,service,slack,webhook" doc:"How messages are sent: slack (also Mattermost and what else takes its webhooks), mail, webhook (JSON), or service (Teams, ntfy, Telegram and others)."`
	Address *yamldoc.Node  `yaml:"address,required" doc:"Reference to the secret that holds the address, such as {env: NAME}."`
	On      []yamldoc.Text `yaml:"on" enum:"started,waiting,failed,stageDone,rolledBack,ended" doc:"Events to send; all when it is not given."`
	Title   *yamldoc.Node  `yaml:"title" doc:"Title of the messages; ${notice.…} is evaluated."`
	Text    *yamldoc.Node  `yaml:"text" doc:"Text of the messages; ${notice.…} is evaluated."`
}

// noticeVariable is the variable of the texts of notifications.
const noticeVariable = "notice"

// NoticeFields lists the members of the variable notice: texts, empty when there
// is nothing to say.
func NoticeFields() []string {
	return []string{
		"event", "run", "platform", "procedure", "path", "status", "stage", "step", "title", "text", "command", "at",
	}
}

// NoticeText is a text of a notification that was compiled. It is safe for
// concurrent use.
type NoticeText struct{ template *expr.Template }

// CompileNotice compiles a text of a notification.
func CompileNotice(n *yamldoc.Node) (NoticeText, diag.Diagnostics) {
	var ds diag.Diagnostics
	fields := map[string]schema.Field{}
	for _, name := range NoticeFields() {
		fields[name] = schema.Field{Type: schema.Of(schema.String), Required: true}
	}
	env, err := expr.NewEnv(map[string]schema.Type{noticeVariable: schema.ObjectOf(fields)})
	if err != nil {
		ds.Errorf("BadText", n.Pos, "the text cannot be compiled: %s", err)
		return NoticeText{}, ds
	}
	t, ds := env.CompileTemplate(n, schema.Of(schema.String))
	return NoticeText{template: t}, ds
}

// Eval returns the text for a notice, whose members are those of NoticeFields.
func (t NoticeText) Eval(notice map[string]string) (string, error) {
	members := map[string]any{}
	for _, name := range NoticeFields() {
		members[name] = notice[name]
	}
	value, err := t.template.Eval(expr.Scope{noticeVariable: members})
	if err != nil {
		return "", fmt.Errorf("evaluate the text: %w", err)
	}
	text, _ := value.(string)
	return text, nil
}

// notifications checks the channels.
func (c checker) notifications(list yamldoc.Ordered[Notification]) {
	for i := range list {
		name, n := list[i].Name, &list[i].Value
		if !isName(name) {
			c.ds.Errorf("BadName", list[i].Pos, "name %q of a notification channel is not permitted", name).
				Suggest("use lower case letters, digits and dashes, beginning with a letter, at most %d", maxNameLen)
		}
		c.address(name, n.Address)
		var seen []string
		for _, on := range n.On {
			if slices.Contains(seen, on.Value) {
				c.ds.Errorf("Duplicate", on.Pos, "on names %q twice", on.Value).Suggest("remove one of them")
			}
			seen = append(seen, on.Value)
		}
		for _, text := range []*yamldoc.Node{n.Title, n.Text} {
			if text == nil {
				continue
			}
			_, ds := CompileNotice(text)
			*c.ds = append(*c.ds, ds...)
		}
	}
}

// address checks the reference to an address. An address that is written out is
// never quoted: it is a secret.
func (c checker) address(name string, n *yamldoc.Node) {
	if n == nil {
		return
	}
	for _, p := range schema.Check(schema.Of(schema.Secret), n.Plain()) {
		what := strings.TrimPrefix(p.Path, "/")
		if what != "" {
			what = " " + what
		}
		c.ds.Errorf("NotASecret", n.Pos, "address%s of channel %q %s", what, name, p.Message).
			Suggest("an address is a secret: %s", schema.SecretExample)
	}
}
