package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/notify"
	"github.com/refitproject/refit/internal/wait"
)

const (
	reasonNotDelivered = "NotDelivered"
	reasonNoLedger     = "LedgerUnusable"
)

// How a message is sent.
const (
	usually   = 30 * time.Second
	attempts  = 3
	firstRest = time.Second
)

// Sender delivers messages; notify.Sender is one. Its errors hold no address.
type Sender interface {
	Deliver(ctx context.Context, kind notify.Kind, address string, m notify.Message) error
}

// SendInput is the input of notify.send.
type SendInput struct {
	Kind     string           `json:"kind" enum:"mail,service,slack,webhook" doc:"How the message is sent: slack (also Mattermost and what else takes its webhooks), mail, webhook (JSON), or service (Teams, ntfy, Telegram and others)."`
	Address  action.SecretRef `json:"address" refit:"secret" doc:"Reference to the secret that holds the address."`
	Title    string           `json:"title" doc:"Title of the message, one line."`
	Text     string           `json:"text,omitempty" doc:"Text of the message, plain; at most 3000 bytes are sent."`
	Undo     string           `json:"undo,omitempty" doc:"Text that is sent when the step is taken back; without it nothing is sent then."`
	Required bool             `json:"required,omitempty" doc:"The step fails when the message cannot be delivered; default false: it succeeds, and says so in sent."`
	Timeout  time.Duration    `json:"timeout,omitempty" doc:"How long it is tried in all; default 30s."`
}

// SendOutput is the output of notify.send.
type SendOutput struct {
	Sent    bool   `json:"sent" doc:"Tells that the service has taken the message."`
	Trouble string `json:"trouble,omitempty" doc:"Why it could not be delivered."`
}

// Send returns the action notify.send. What was sent is remembered in the ledger.
func Send(sender Sender, sent Ledger) action.Action {
	s := sending{sender: sender, sent: sent}
	return action.Define(action.Definition[SendInput, SendOutput]{
		Name:    "notify.send",
		Version: 1,
		Summary: "Send a message to people.",
		Effect:  action.Mutating,
		Typical: time.Second,
		Worst:   usually,
		Check:   checkSend,
		Preview: func(_ context.Context, _ action.Env, in SendInput) (action.Preview, error) {
			return action.Preview{Summary: "send by " + in.Kind + ": " + in.Title}, nil
		},
		Observe: s.observe,
		Run:     s.run,
		Undo:    s.undo,
	})
}

func checkSend(in SendInput) error {
	switch {
	case strings.TrimSpace(in.Title) == "":
		return errors.New("field \"title\" is empty: say what the message is about")
	case in.Timeout < 0:
		return errors.New("field \"timeout\" is negative")
	}
	return nil
}

// sending carries out notify.send.
type sending struct {
	sender Sender
	sent   Ledger
}

func (s sending) observe(_ context.Context, env action.Env, _ SendInput) (action.Observed[SendOutput], error) {
	known, err := s.sent.has(env.Key)
	if err != nil {
		return action.Observed[SendOutput]{}, ledgerError("read", err)
	}
	if known {
		return action.Saw(SendOutput{Sent: true}), nil
	}
	// An attempt that was lost may have sent it. A second message does less harm
	// than none, and than a person who has to settle that.
	return action.Observed[SendOutput]{
		Status: action.NotStarted, Reason: "nobody has recorded that the message was sent",
	}, nil
}

func ledgerError(what string, err error) error {
	return &action.Error{
		Reason: reasonNoLedger, Retryable: true, Effect: action.ExtentNone,
		Remedy: "mend the permissions of the state folder, or its disk",
		Err:    fmt.Errorf("%s which messages were sent: %w", what, err),
	}
}

func (s sending) run(ctx context.Context, env action.Env, in SendInput, _ map[string]any) (SendOutput, error) {
	if known, err := s.sent.has(env.Key); err != nil || known {
		return SendOutput{Sent: known}, err
	}
	m := notify.Message{ID: env.Key, Title: in.Title, Text: in.Text, Repeat: env.Attempted}
	m.Fields = map[string]string{"event": "step", "key": env.Key}
	err := s.deliver(ctx, env, in, m)
	switch {
	case ctx.Err() != nil:
		return SendOutput{}, ctx.Err()
	case err == nil:
		if err := s.sent.add(env.Key, env.Now()); err != nil {
			log(env, ledgerError("record", err))
		}
		return SendOutput{Sent: true}, nil
	case in.Required:
		return SendOutput{}, err
	}
	log(env, err)
	return SendOutput{Trouble: err.Error()}, nil
}

// log puts trouble that stops nothing into the log of the attempt.
func log(env action.Env, err error) {
	_, _ = fmt.Fprintln(env.LogWriter(), err) // An error of the log disturbs nothing.
}

// deliver tries a few times.
func (s sending) deliver(ctx context.Context, env action.Env, in SendInput, m notify.Message) error {
	values, err := env.ResolveSecrets(ctx, "field", map[string]action.SecretRef{"address": in.Address})
	if err != nil {
		return err
	}
	limit := in.Timeout
	if limit == 0 {
		limit = usually
	}
	all, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for n := 1; ; n++ {
		err = s.sender.Deliver(all, notify.Kind(in.Kind), values["address"], m)
		if err == nil || n == attempts || wait.For(all, time.Duration(n)*firstRest) != nil {
			break
		}
	}
	if err == nil {
		return nil
	}
	return &action.Error{
		Reason: reasonNotDelivered, Retryable: true, Effect: action.ExtentNone,
		Remedy: "try the channel with refit notify test",
		Err:    fmt.Errorf("send the message %q by %s: %w", in.Title, in.Kind, err),
	}
}

// undo forgets that the message was sent, so that the step sends it when it is
// carried out again, and says so to people if that is wanted. A message that does
// not arrive never holds up a way back.
func (s sending) undo(ctx context.Context, env action.Env, in SendInput, _ map[string]any) error {
	known, err := s.sent.has(env.Key)
	if err != nil {
		return ledgerError("read", err)
	}
	if known && in.Undo != "" {
		err := s.deliver(ctx, env, in, notify.Message{
			ID: env.Key + "/undo", Title: in.Title, Text: in.Undo,
			Fields: map[string]string{"event": "undo", "key": env.Key},
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			log(env, err)
		}
	}
	if err := s.sent.forget(env.Key); err != nil {
		return ledgerError("record", err)
	}
	return nil
}
