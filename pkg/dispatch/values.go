package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// errNoKey is for programs that start without the installation's key.
var errNoKey = errors.New("there is no key to seal secrets with")

// Secret is a project's secret as somebody stores it. A nil Value leaves the one that is there.
type Secret struct {
	Name        string
	Description string
	Value       *string
}

// PutSecret stores a secret, in the place of one of that name; attempts that begin from now on get the new value. Errors:
// a name or a value that cannot be, too many secrets, a project whose secrets are not the caller's to write.
func (s *Service) PutSecret(ctx context.Context, who account.Principal, project uuid.UUID, in Secret) (row postgres.SecretRow, err error) {
	if err := workflow.CheckValueName(in.Name); err != nil {
		return row, err
	}
	if err := who.May(account.SecretWrite, project); err != nil {
		return row, err
	}
	fresh := postgres.NewSecret{ProjectID: project, Name: in.Name, Description: in.Description, By: who.User.ID}
	if in.Value != nil {
		if *in.Value == "" || len(*in.Value) > workflow.MaxValue {
			return row, fault.At("/value", "size", "a secret has from 1 to %d bytes; this one has %d", workflow.MaxValue, len(*in.Value))
		}
		if s.Secrets == nil {
			return row, errNoKey
		}
		if fresh.Sealed, err = s.Secrets.Seal(project, in.Name, *in.Value); err != nil {
			return row, fmt.Errorf("seal a secret: %w", err)
		}
		fresh.KeyID = s.Secrets.KeyID()
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		secrets := postgres.Secrets{Q: q}
		if err := (postgres.Projects{Q: q}).Hold(ctx, project); err != nil {
			return err
		}
		old, err := secrets.Get(ctx, project, in.Name)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if in.Value == nil {
			err = secrets.Describe(ctx, project, in.Name, in.Description, who.User.ID)
			if fault.Is(err, fault.NotFound) {
				err = fault.At("/value", "required", "there is no secret %s yet: it needs a value", in.Name)
			}
		} else if err = roomFor(secrets.Others(ctx, project, in.Name)); err == nil {
			err = secrets.Put(ctx, fresh)
		}
		if err == nil {
			row, err = secrets.Get(ctx, project, in.Name)
		}
		if err != nil {
			return err
		}
		return postgres.Note(ctx, q, aboutSecret(old, row, in.Value != nil))
	})
	return row, err
}

// aboutSecret says what became of a secret: that its value was set, and never to what.
func aboutSecret(old, row postgres.SecretRow, set bool) audit.Change {
	c := audit.Change{Action: audit.SecretCreate, Project: row.ProjectID, Object: audit.Named(row.Name)}
	after := audit.Data{"description": row.Description}
	if set {
		after["value"] = "set"
	}
	if old.Name != "" {
		c.Action, c.Before = audit.SecretUpdate, audit.Data{"description": old.Description}
	}
	c.After = after
	return c
}

// DeleteSecret removes a secret that no workflow names.
func (s *Service) DeleteSecret(ctx context.Context, who account.Principal, project uuid.UUID, name string) error {
	if err := who.May(account.SecretWrite, project); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		secrets := postgres.Secrets{Q: q}
		row, err := secrets.Lock(ctx, project, name)
		if err != nil {
			return err
		}
		if err := unnamed("secret", row.ValueMeta); err != nil {
			return err
		}
		if err := unnamedByChannels(ctx, q, project, workflow.RootSecrets, name); err != nil {
			return err
		}
		if err := secrets.Delete(ctx, project, name); err != nil {
			return err
		}
		before := audit.Data{"description": row.Description}
		return postgres.Note(ctx, q, audit.Change{Action: audit.SecretDelete, Project: project, Object: audit.Named(name), Before: before})
	})
}

// Variable is a project's variable as somebody stores it.
type Variable struct {
	Name        string
	Description string
	Value       json.RawMessage
}

// PutVariable stores a variable, in the place of one of that name. Its errors are as PutSecret's.
func (s *Service) PutVariable(ctx context.Context, who account.Principal, project uuid.UUID, in Variable) (row postgres.VariableRow, err error) {
	if err := workflow.CheckValueName(in.Name); err != nil {
		return row, err
	}
	if len(in.Value) > workflow.MaxValue {
		return row, fault.At("/value", "size", "a variable has at most %d bytes as JSON; this one has %d", workflow.MaxValue, len(in.Value))
	}
	if err := who.May(account.VariableWrite, project); err != nil {
		return row, err
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		variables := postgres.Variables{Q: q}
		if err := (postgres.Projects{Q: q}).Hold(ctx, project); err != nil {
			return err
		}
		if err := roomFor(variables.Others(ctx, project, in.Name)); err != nil {
			return err
		}
		c := audit.Change{Action: audit.VariableCreate, Project: project, Object: audit.Named(in.Name)}
		switch old, err := variables.Get(ctx, project, in.Name); {
		case err == nil:
			c.Action, c.Before = audit.VariableUpdate, variableData(old)
		case !fault.Is(err, fault.NotFound):
			return err
		}
		fresh := postgres.NewVariable{ProjectID: project, Name: in.Name, Description: in.Description, Value: in.Value, By: who.User.ID}
		if err := variables.Put(ctx, fresh); err != nil {
			return err
		}
		if row, err = variables.Get(ctx, project, in.Name); err != nil {
			return err
		}
		c.After = variableData(row)
		return postgres.Note(ctx, q, c)
	})
	return row, err
}

func variableData(row postgres.VariableRow) audit.Data {
	return audit.Data{"value": row.Value, "description": row.Description}
}

// DeleteVariable removes a variable that no workflow names.
func (s *Service) DeleteVariable(ctx context.Context, who account.Principal, project uuid.UUID, name string) error {
	if err := who.May(account.VariableWrite, project); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		variables := postgres.Variables{Q: q}
		row, err := variables.Lock(ctx, project, name)
		if err != nil {
			return err
		}
		if err := unnamed("variable", row.ValueMeta); err != nil {
			return err
		}
		if err := unnamedByChannels(ctx, q, project, workflow.RootVars, name); err != nil {
			return err
		}
		if err := variables.Delete(ctx, project, name); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{Action: audit.VariableDelete, Project: project, Object: audit.Named(name), Before: variableData(row)})
	})
}

// roomFor refuses one value more than a project may have.
func roomFor(others int, err error) error {
	if err == nil && others >= workflow.MaxValues {
		return fault.New(fault.Conflict, "too_many_values", "The project has %d of them, and no more can be; delete what nothing uses", others)
	}
	return err
}

// unnamed refuses to remove what workflows name.
func unnamed(what string, row postgres.ValueMeta) error {
	if row.UsedByCount == 0 {
		return nil
	}
	const shown = 5
	var names []string
	for _, u := range row.UsedBy[:min(shown, len(row.UsedBy))] {
		names = append(names, u.Name)
	}
	text := strings.Join(names, ", ")
	if row.UsedByCount > shown {
		text += " and others"
	}
	return fault.New(fault.Conflict, what+"_in_use", "The %s cannot be deleted while workflows name it: %s", what, text)
}

// keepUses stores which secrets and variables a workflow names, and refuses those that its project does not have.
func keepUses(ctx context.Context, q postgres.Querier, row postgres.WorkflowRow) error {
	values := postgres.Values{Q: q}
	uses := row.Definition.Uses()
	missing, err := values.SetUses(ctx, row.ID, keysOf(row.ProjectID, uses))
	if err != nil || len(missing) == 0 {
		return err
	}
	there, err := values.Names(ctx, row.ProjectID)
	if err != nil {
		return err
	}
	return unknownNames(uses, there)
}

// CheckUses refuses the secrets and variables that a definition names and a project does not have.
func (s *Service) CheckUses(ctx context.Context, project uuid.UUID, def workflow.Definition) error {
	uses := def.Uses()
	if len(uses) == 0 {
		return nil
	}
	there, err := postgres.Values{Q: s.db}.Names(ctx, project)
	if err != nil {
		return err
	}
	return unknownNames(uses, there)
}

func keysOf(project uuid.UUID, uses []workflow.Use) []postgres.ValueKey {
	keys := make([]postgres.ValueKey, len(uses))
	for i, u := range uses {
		keys[i] = postgres.ValueKey{ProjectID: project, Root: u.Root, Name: u.Name}
	}
	return keys
}

// unknownNames points at each name that is not there.
func unknownNames(uses []workflow.Use, there map[string][]string) error {
	var fields []fault.Field
	for _, u := range uses {
		if slices.Contains(there[u.Root], u.Name) {
			continue
		}
		code, what, path := "unknown_secret", "secret", "/api/v1/secrets/"
		if u.Root == workflow.RootVars {
			code, what, path = "unknown_variable", "variable", "/api/v1/variables/"
		}
		message := fmt.Sprintf("the project has no %s %q", what, u.Name)
		if near := workflow.Nearest(u.Name, there[u.Root]); near != "" {
			message += fmt.Sprintf("; did you mean %s?", near)
		} else {
			message += "; make it first, under Secrets and variables or with PUT " + path + u.Name
		}
		fields = append(fields, fault.Field{Pointer: u.Pointer, Code: code, Message: message})
	}
	return fault.InvalidFields(fields)
}
