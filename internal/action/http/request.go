package http

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/action"
)

const (
	reasonStatusRefused  = "StatusRefused"
	reasonObserveUnclear = "ObserveUnclear"
	reasonUndoFailed     = "UndoFailed"
)

// maxKept is how much of an answer is kept in outputs and in what was before.
const maxKept = 8 << 10

// RequestInput is the input of http.request.
type RequestInput struct {
	Method          string                      `json:"method" enum:"POST,PUT,PATCH,DELETE" doc:"Method of the request."`
	URL             string                      `json:"url" doc:"Address to send it to, http or https, without user and password; redirects are not followed."`
	Headers         map[string]string           `json:"headers,omitempty" doc:"Headers without credentials, of all requests of the step."`
	SecretHeaders   map[string]action.SecretRef `json:"secretHeaders,omitempty" refit:"secret" doc:"Headers from secrets, of all requests of the step; their values are removed from the answers."`
	Body            string                      `json:"body,omitempty" doc:"Text of the body; give body or json."`
	JSON            any                         `json:"json,omitempty" doc:"Body that is sent as JSON; give body or json."`
	Timeout         time.Duration               `json:"timeout,omitempty" doc:"How long one answer may take in all; default 10s."`
	OkStatus        []int                       `json:"okStatus,omitempty" doc:"Status codes that mean success; default 200 to 299."`
	UnchangedStatus []int                       `json:"unchangedStatus,omitempty" doc:"Status codes that mean that nothing was changed; default 401, 403, 405 and 429, which refuse a request before it is carried out."`
	Observe         *RequestObserve             `json:"observe,omitempty" doc:"How to see whether the effect has happened; without it a lost attempt puts the step in doubt."`
	Undo            *RequestUndo                `json:"undo,omitempty" doc:"Request that takes the effect back; without it the step has no inverse."`
}

// RequestObserve is a question with GET.
type RequestObserve struct {
	URL        string  `json:"url" doc:"Address to ask."`
	Done       Expect  `json:"done" doc:"What the answer is when the effect has happened."`
	NotStarted *Expect `json:"notStarted,omitempty" doc:"What the answer is when nothing has happened; default any other answer with a status of success, or 404."`
	InProgress *Expect `json:"inProgress,omitempty" doc:"What the answer is when the effect is under way; default none."`
}

// RequestUndo takes the effect back.
type RequestUndo struct {
	Method   string `json:"method" enum:"POST,PUT,PATCH,DELETE" doc:"Method of the request."`
	URL      string `json:"url" doc:"Address to send it to."`
	Body     string `json:"body,omitempty" doc:"Text of the body; give body or json."`
	JSON     any    `json:"json,omitempty" doc:"Body that is sent as JSON; give body or json."`
	OkStatus []int  `json:"okStatus,omitempty" doc:"Status codes that mean success, also when there is nothing left to take back; default 200 to 299, and 404 and 410 for DELETE."`
}

// RequestOutput is the output of http.request.
type RequestOutput struct {
	Observed bool   `json:"observed" doc:"Tells that the effect was seen by observe instead of the answer to the request; the answer is then that of observe."`
	Status   int    `json:"status" doc:"Status code of the answer."`
	Body     string `json:"body" doc:"Beginning of the body as text, at most 8 KiB."`
	JSON     any    `json:"json,omitempty" doc:"Body read as JSON, when it is JSON and not longer than 8 KiB."`
}

// Request returns the action http.request, which sends through the transport
// of client.
func Request(client *http.Client) action.Action {
	r := requester{asker{transport: client.Transport}}
	return action.Define(action.Definition[RequestInput, RequestOutput]{
		Name:         "http.request",
		Version:      1,
		Summary:      "Change something with a request to a web address.",
		Effect:       action.Mutating,
		UndoField:    "undo",
		ObserveField: "observe",
		NoUndo:       "no undo request is given",
		Check:        checkRequest,
		Preview: func(_ context.Context, _ action.Env, in RequestInput) (action.Preview, error) {
			return action.Preview{Summary: "send " + in.Method + " to " + showRaw(in.URL)}, nil
		},
		Observe: r.observe,
		Run:     r.run,
		Undo:    r.undo,
	})
}

func checkRequest(in RequestInput) error {
	errs := []error{
		checkAddress("url", in.URL), checkTimeout(in.Timeout), checkHeaders(in.Headers, in.SecretHeaders),
		checkBody("", in.Body, in.JSON),
	}
	if o := in.Observe; o != nil {
		errs = append(errs, checkAddress("observe.url", o.URL), o.Done.check("observe.done"))
		if o.NotStarted != nil {
			errs = append(errs, o.NotStarted.check("observe.notStarted"))
		}
		if o.InProgress != nil {
			errs = append(errs, o.InProgress.check("observe.inProgress"))
		}
	}
	if u := in.Undo; u != nil {
		errs = append(errs, checkAddress("undo.url", u.URL), checkBody("undo.", u.Body, u.JSON))
	}
	for _, code := range in.OkStatus {
		if slices.Contains(in.UnchangedStatus, code) {
			errs = append(errs, fmt.Errorf("status %d means two things: let okStatus and unchangedStatus differ", code))
		}
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkBody(prefix, body string, json any) error {
	if body != "" && json != nil {
		return fmt.Errorf("fields \"%sbody\" and \"%sjson\" are both given: a request has one body", prefix, prefix)
	}
	return nil
}

// requester carries out http.request.
type requester struct{ asker asker }

// question returns a request of the step. All of them carry its headers.
func (in RequestInput) question(env action.Env, method, url, body string, json any) question {
	q := question{
		method: method, url: url, headers: in.Headers, secretHeaders: in.SecretHeaders,
		timeout: in.Timeout, body: body,
	}
	if json != nil {
		q.body, q.contentType = encodeJSON(json), "application/json"
	} else if body != "" {
		q.contentType = "text/plain; charset=utf-8"
	}
	if q.changes() {
		q.key = env.Key
	}
	return q
}

func (r requester) observe(
	ctx context.Context, env action.Env, in RequestInput,
) (action.Observed[RequestOutput], error) {
	switch {
	case in.Observe != nil:
		return r.look(ctx, env, in)
	case env.Attempted:
		return action.Observed[RequestOutput]{
			Status: action.Unknown,
			Reason: "the request was sent before, and no observe request tells what it did",
		}, nil
	default:
		return action.Observed[RequestOutput]{Status: action.NotStarted, Reason: "the request was never sent"}, nil
	}
}

// look asks whether the effect has happened.
func (r requester) look(
	ctx context.Context, env action.Env, in RequestInput,
) (action.Observed[RequestOutput], error) {
	o := in.Observe
	out, err := r.asker.ask(ctx, env, in.question(env, http.MethodGet, o.URL, "", nil))
	if err != nil {
		return action.Observed[RequestOutput]{}, err
	}
	kept := keep(out)
	kept.Observed = true
	seen := action.Observed[RequestOutput]{
		Reason: fmt.Sprintf("%s answered with status %d", showRaw(o.URL), out.Status),
		Before: map[string]any{"status": int64(out.Status), "body": kept.Body},
	}
	why := o.Done.differs(out)
	switch {
	case why == "":
		seen.Status, seen.Output = action.Done, &kept
	case o.InProgress != nil && o.InProgress.differs(out) == "":
		seen.Status = action.InProgress
	case o.notStarted(out):
		seen.Status, seen.Reason = action.NotStarted, why
	default:
		return seen, unclear(o.URL, out.Status, why)
	}
	return seen, nil
}

// notStarted tells whether an answer says that nothing has happened. An answer
// that refuses or fails says nothing of that.
func (o RequestObserve) notStarted(out GetOutput) bool {
	if o.NotStarted != nil {
		return o.NotStarted.differs(out) == ""
	}
	return (out.Status >= 200 && out.Status <= 299) || out.Status == http.StatusNotFound
}

func unclear(url string, status int, why string) error {
	failure := &action.Error{
		Reason: reasonObserveUnclear, Retryable: true, Effect: action.ExtentNone,
		Remedy: "check the server, or describe the answer in done, notStarted or inProgress",
		Err: fmt.Errorf("observe the effect at %s: the answer means nothing that was described: %s",
			showRaw(url), why),
	}
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		failure.Reason, failure.Remedy = action.ReasonAccessRefused, "renew the secrets in secretHeaders"
	}
	return failure
}

func (r requester) run(
	ctx context.Context, env action.Env, in RequestInput, _ map[string]any,
) (RequestOutput, error) {
	out, err := r.asker.ask(ctx, env, in.question(env, in.Method, in.URL, in.Body, in.JSON))
	if err != nil {
		return RequestOutput{}, err
	}
	if ok(out.Status, in.OkStatus) {
		return keep(out), nil
	}
	failure := refused(in.Method, in.URL, out)
	unchanged := in.UnchangedStatus
	if unchanged == nil {
		unchanged = []int{
			http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusTooManyRequests,
		}
	}
	if slices.Contains(unchanged, out.Status) {
		failure.Effect = action.ExtentNone
		failure.Retryable = out.Status == http.StatusTooManyRequests || out.Status >= 500
		if out.Status == http.StatusUnauthorized || out.Status == http.StatusForbidden {
			failure.Reason, failure.Remedy = action.ReasonAccessRefused, "renew the secrets in secretHeaders"
		}
	}
	return RequestOutput{}, failure
}

// ok tells whether a status counts as success.
func ok(status int, codes []int, more ...int) bool {
	if len(codes) > 0 {
		return slices.Contains(codes, status)
	}
	return (status >= 200 && status <= 299) || slices.Contains(more, status)
}

// refused says that a server did not do what it was asked for. What it says is
// as a rule the reason.
func refused(method, url string, out GetOutput) *action.Error {
	text := fmt.Sprintf("%s to %s was answered with status %d", method, showRaw(url), out.Status)
	if out.Body != "" {
		text += ": " + shown(out.Body)
	}
	return &action.Error{Reason: reasonStatusRefused, Effect: action.ExtentUnknown, Err: errors.New(text)}
}

func (r requester) undo(ctx context.Context, env action.Env, in RequestInput, _ map[string]any) error {
	u := in.Undo
	out, err := r.asker.ask(ctx, withUndoKey(env), in.question(withUndoKey(env), u.Method, u.URL, u.Body, u.JSON))
	if err != nil {
		return err
	}
	var gone []int
	if u.Method == http.MethodDelete {
		gone = []int{http.StatusNotFound, http.StatusGone}
	}
	if ok(out.Status, u.OkStatus, gone...) {
		return nil
	}
	failure := refused(u.Method, u.URL, out)
	failure.Reason, failure.Retryable = reasonUndoFailed, true
	failure.Err = fmt.Errorf("take back the effect: %w", failure.Err)
	return failure
}

// withUndoKey gives the inverse a key of its own: a server that remembers keys
// would take it for the request itself.
func withUndoKey(env action.Env) action.Env {
	if env.Key != "" {
		env.Key += "/undo"
	}
	return env
}
