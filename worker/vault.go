package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/batch"
	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

// vault reads the secrets and variables that steps name, those of many attempts in one statement. It keeps none of them:
// each attempt gets what is stored when it begins.
type vault struct {
	keys  *secret.Keyring // nil: secrets cannot be opened
	reads *batch.Batcher[[]postgres.ValueKey, map[postgres.ValueKey]postgres.Value]
}

const vaultBatch = 250

func newVault(db *postgres.DB, keys *secret.Keyring) *vault {
	v := &vault{keys: keys}
	v.reads = batch.New(vaultBatch, func(ctx context.Context, wanted [][]postgres.ValueKey) ([]map[postgres.ValueKey]postgres.Value, error) {
		all := map[postgres.ValueKey]postgres.Value{}
		for _, keys := range wanted {
			for _, k := range keys {
				all[k] = postgres.Value{}
			}
		}
		keys := make([]postgres.ValueKey, 0, len(all))
		for k := range all {
			keys = append(keys, k)
		}
		found, err := postgres.Values{Q: db}.Read(ctx, keys)
		answers := make([]map[postgres.ValueKey]postgres.Value, len(wanted))
		for i := range wanted {
			answers[i] = found
		}
		return answers, err
	})
	return v
}

// names are the values that a step names.
type names struct{ secrets, vars []string }

func namesOf(s workflow.Step) names {
	return names{secrets: s.Names(workflow.RootSecrets), vars: s.Names(workflow.RootVars)}
}

func (n names) none() bool { return len(n.secrets) == 0 && len(n.vars) == 0 }

// revealed is what a step gets of what it names.
type revealed struct {
	secrets, vars map[string]any
	values        []string // of the secrets: what must not be written down
}

// env adds what was revealed to what templates see.
func (r revealed) env(base expr.Env) expr.Env {
	if r.secrets == nil {
		return base
	}
	e := maps.Clone(base)
	e[workflow.RootSecrets], e[workflow.RootVars] = r.secrets, r.vars
	return e
}

// refused says, for people, why a step cannot get what it names.
type refused string

func (r refused) Error() string { return string(r) }

// reveal reads what a step of a project names. Its error is a refused, or the database's.
func (v *vault) reveal(ctx context.Context, project uuid.UUID, n names) (r revealed, err error) {
	if n.none() {
		return r, nil
	}
	var keys []postgres.ValueKey
	for _, name := range n.secrets {
		keys = append(keys, postgres.ValueKey{ProjectID: project, Root: workflow.RootSecrets, Name: name})
	}
	for _, name := range n.vars {
		keys = append(keys, postgres.ValueKey{ProjectID: project, Root: workflow.RootVars, Name: name})
	}
	found, err := v.reads.Do(ctx, keys)
	if err != nil {
		return r, err
	}
	r.secrets, r.vars = map[string]any{}, map[string]any{}
	for _, k := range keys {
		value, ok := found[k]
		switch {
		case !ok && k.Root == workflow.RootSecrets:
			return r, refused(fmt.Sprintf("the secret %s is not there any more", k.Name))
		case !ok:
			return r, refused(fmt.Sprintf("the variable %s is not there any more", k.Name))
		case k.Root == workflow.RootSecrets:
			text, err := v.open(k, value.Sealed)
			if err != nil {
				return r, err
			}
			r.secrets[k.Name] = text
			r.values = append(r.values, text)
		default:
			if r.vars[k.Name], err = expr.DecodeJSON(value.JSON); err != nil {
				return r, refused(fmt.Sprintf("the variable %s cannot be read: %s", k.Name, err))
			}
		}
	}
	return r, nil
}

func (v *vault) open(k postgres.ValueKey, sealed []byte) (string, error) {
	if v.keys == nil {
		return "", refused("this worker has no ORQ_SECRET_KEY, so that it cannot open secrets")
	}
	text, err := v.keys.Open(k.ProjectID, k.Name, sealed)
	if err != nil {
		return "", refused(fmt.Sprintf("the secret %s cannot be opened: %s", k.Name, err))
	}
	return text, nil
}

// reveal answers the env of a step's next attempt. What it gets of secrets is taken out of everything that the run writes
// from now on. why is not empty when the step cannot have what it names.
func (d *drive) reveal(ctx context.Context, i int) (env expr.Env, why string, err error) {
	n := d.book.steps[i].names
	if n.none() {
		return d.env, "", nil
	}
	var r revealed
	err = d.w.insist(ctx, func(ctx context.Context) (err error) {
		r, err = d.w.vault.reveal(ctx, d.claimed.ProjectID, n)
		return err
	})
	var no refused
	if errors.As(err, &no) {
		return nil, string(no), nil
	}
	d.secrets = d.secrets.With(r.values...)
	d.journal.hide(d.secrets)
	return r.env(d.env), "", err
}

// recall finds out which secrets the steps that have begun know, so that what comes after on this worker does not tell them.
func (d *drive) recall(ctx context.Context) error {
	for i := range d.steps {
		n := names{secrets: d.book.steps[i].names.secrets}
		if d.steps[i].attempt == 0 || n.none() {
			continue
		}
		r, err := d.w.vault.reveal(ctx, d.claimed.ProjectID, n)
		var gone refused
		if err != nil && !errors.As(err, &gone) {
			return err
		}
		d.secrets = d.secrets.With(r.values...)
	}
	d.journal.hide(d.secrets)
	return nil
}

// withoutSecrets is a result as it may be written down, and be seen by later steps.
func withoutSecrets(s *secret.Redactor, r action.Result) action.Result {
	if s == nil {
		return r
	}
	if r.Output != nil {
		raw, err := json.Marshal(r.Output)
		if err != nil {
			raw = nil
		}
		r.Output = s.JSON(raw)
	}
	if r.Pause != nil {
		clean := *r.Pause
		clean.Why = s.Hide(clean.Why)
		if raw, err := json.Marshal(clean.Left); err == nil {
			clean.Left = s.JSON(raw)
		}
		r.Pause = &clean
	}
	if r.Failure != nil {
		clean := *r.Failure
		clean.Message = s.Hide(clean.Message)
		r.Failure = &clean
	}
	return r
}
