package kube

import (
	"context"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// Question is a program that a Job of a step runs once to find something out, for actions
// of other families. The answer is kept in the cluster, by which a lost attempt is seen.
type Question struct {
	job  oneJob
	kept finding
}

// NewQuestion returns the question of a step; of is the family of its action. Nothing is
// asked yet.
func NewQuestion(
	ctx context.Context, connector *kube.Connector, env action.Env, in JobInput, of string,
) (Question, error) {
	o, err := jobs{connector}.of(ctx, env, in)
	return Question{o, finding{cluster: o.cluster, namespace: in.Namespace, name: o.name, of: of}}, err
}

// String names the Job.
func (q Question) String() string { return q.job.String() }

// Open tells whether the Job is there.
func (q Question) Open(ctx context.Context) (bool, error) {
	job, err := q.job.get(ctx)
	return job != nil, err
}

// Answer reads the answer that was kept into out, and tells whether there is one.
func (q Question) Answer(ctx context.Context, out any) (bool, error) { return q.kept.read(ctx, out) }

// Ask runs the program, or follows it when it runs already, and returns what it printed.
// An error means that it has changed nothing.
func (q Question) Ask(ctx context.Context, env action.Env) (string, error) {
	if err := q.kept.forget(ctx, env.Now()); err != nil {
		return "", err
	}
	if err := q.job.make(ctx, env); err != nil {
		return "", err
	}
	out, err := q.job.follow(ctx, env)
	if err != nil {
		return "", action.WithExtent(err, action.ExtentNone)
	}
	return out.Stdout, nil
}

// Keep keeps the answer for at least a week.
func (q Question) Keep(ctx context.Context, env action.Env, answer any) error {
	return q.kept.write(ctx, env, answer)
}

// Close removes the Job with its pod, and leaves the answer. It may be repeated.
func (q Question) Close(ctx context.Context) error { return q.job.remove(ctx) }

// Drop removes the Job and the answer. It may be repeated.
func (q Question) Drop(ctx context.Context) error {
	if err := q.Close(ctx); err != nil {
		return err
	}
	return q.kept.remove(ctx)
}

// Nobody is the user that programs run as which need no rights.
const Nobody = 65534
