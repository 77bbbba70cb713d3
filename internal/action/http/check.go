package http

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/wait"
)

// defaultEvery is the pause between two tries of http.check.
const defaultEvery = 5 * time.Second

// CheckInput is the input of http.check.
type CheckInput struct {
	URL           string                      `json:"url" doc:"Address to ask, http or https, without user and password."`
	Headers       map[string]string           `json:"headers,omitempty" doc:"Headers of the request without credentials; they are sent to the host of url only, not to where it redirects."`
	SecretHeaders map[string]action.SecretRef `json:"secretHeaders,omitempty" refit:"secret" doc:"Headers of the request from secrets, sent like headers; their values are removed from the answer."`
	Timeout       time.Duration               `json:"timeout,omitempty" doc:"How long one answer may take in all; default 10s."`
	Expect        Expect                      `json:"expect,omitzero" doc:"What the answer must be; default any status of success."`
	For           time.Duration               `json:"for,omitempty" doc:"How long is tried until the answer is as expected; default once."`
	Attempts      int                         `json:"attempts,omitempty" doc:"How often is tried at most until the answer is as expected; default once, or as often as fits into for."`
	Every         time.Duration               `json:"every,omitempty" doc:"Time between two tries; default 5s."`
}

// CheckOutput is the output of http.check.
type CheckOutput struct {
	Status int `json:"status" doc:"Status code of the answer that was as expected."`
	Tries  int `json:"tries" doc:"How often was tried."`
}

// Check returns the action http.check, which asks through the transport of
// client.
func Check(client *http.Client) action.Action {
	c := checker{asker{transport: client.Transport}}
	return action.Define(action.Definition[CheckInput, CheckOutput]{
		Name:    "http.check",
		Version: 1,
		Summary: "Check that a web address answers as expected.",
		Effect:  action.ReadOnly,
		Check:   checkCheck,
		Preview: func(_ context.Context, _ action.Env, in CheckInput) (action.Preview, error) {
			text := "check that " + showRaw(in.URL) + " answers as expected"
			if in.For > 0 {
				text += fmt.Sprintf(" within %s", in.For)
			}
			return action.Preview{Summary: text}, nil
		},
		Observe: c.observe,
	})
}

func checkCheck(in CheckInput) error {
	if err := checkAddress("url", in.URL); err != nil {
		return err
	}
	if err := checkTimeout(in.Timeout); err != nil {
		return err
	}
	switch {
	case in.For < 0:
		return errors.New("field \"for\" must not be negative")
	case in.Attempts < 0 || in.Attempts > 10000:
		return fmt.Errorf("field \"attempts\" is %d, needs 1 to 10000", in.Attempts)
	case in.Every != 0 && in.Every < 100*time.Millisecond:
		return fmt.Errorf("field \"every\" is %s, needs at least 100ms", in.Every)
	case in.Every != 0 && in.For == 0 && in.Attempts <= 1:
		return errors.New("field \"every\" says nothing without \"for\" or \"attempts\"")
	}
	if err := in.Expect.check("expect"); err != nil {
		return err
	}
	return checkHeaders(in.Headers, in.SecretHeaders)
}

// checker carries out http.check.
type checker struct{ asker asker }

func (c checker) observe(
	ctx context.Context, env action.Env, in CheckInput,
) (action.Observed[CheckOutput], error) {
	window, cancel := ctx, context.CancelFunc(func() {})
	if in.For > 0 {
		window, cancel = context.WithTimeout(ctx, in.For)
	}
	defer cancel()
	for try := 1; ; try++ {
		out, why, err := c.try(ctx, env, in)
		switch {
		case err != nil:
			return action.Observed[CheckOutput]{}, err
		case why == "":
			return action.Saw(CheckOutput{Status: out.Status, Tries: try}), nil
		}
		env.Report(action.Progress{Done: int64(try), Total: int64(in.Attempts), Unit: "tries", Note: why})
		if !in.more(try) || wait.For(window, cmp.Or(in.Every, defaultEvery)) != nil {
			if ctx.Err() != nil { // whether it would have come to be so, nobody knows
				return action.Observed[CheckOutput]{}, &action.Error{
					Reason: reasonInterrupted, Retryable: true, Effect: action.ExtentNone,
					Err: fmt.Errorf("check %s: %w, the last of %d tries: %s",
						showRaw(in.URL), context.Cause(ctx), try, why),
				}
			}
			return action.Observed[CheckOutput]{
				Status: action.Failed, Reason: fmt.Sprintf("%s: %s (tries: %d)", showRaw(in.URL), why, try),
			}, nil
		}
	}
}

// more tells whether there may be another try.
func (in CheckInput) more(tries int) bool {
	if in.Attempts > 0 {
		return tries < in.Attempts
	}
	return in.For > 0
}

// try asks once and says what is not as expected. That there is no answer is
// such a thing too: it is what the check is for. The error is about what no
// further try would mend.
func (c checker) try(ctx context.Context, env action.Env, in CheckInput) (GetOutput, string, error) {
	out, err := c.asker.ask(ctx, env, question{
		method: http.MethodGet, url: in.URL, headers: in.Headers, secretHeaders: in.SecretHeaders, timeout: in.Timeout,
	})
	if err == nil {
		return out, in.Expect.differs(out), nil
	}
	failure, ok := errors.AsType[*action.Error](err)
	if !ok || ctx.Err() != nil || failure.Reason == action.ReasonSecretUnavailable {
		return out, "", err
	}
	return out, failure.Error(), nil
}
