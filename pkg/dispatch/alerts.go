package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// CreateChannel stores a new channel in a project. Errors: one that cannot work, a name that is taken, names of secrets or
// variables that are not there, a project whose alerts are not the caller's to write.
func (s *Service) CreateChannel(ctx context.Context, who account.Principal, project uuid.UUID, c alert.Channel) (row postgres.ChannelRow, err error) {
	if err := who.May(account.AlertWrite, project); err != nil {
		return row, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return row, fmt.Errorf("make a channel id: %w", err)
	}
	return s.putChannel(ctx, c, func(q postgres.Querier) (postgres.ChannelRow, error) {
		return postgres.ChannelRow{ID: id, ProjectID: project}, postgres.Projects{Q: q}.Hold(ctx, project)
	})
}

// ReplaceChannel changes a channel; messages that are on their way take it as it is then. Its errors are as CreateChannel's.
func (s *Service) ReplaceChannel(ctx context.Context, who account.Principal, id uuid.UUID, c alert.Channel) (postgres.ChannelRow, error) {
	return s.putChannel(ctx, c, func(q postgres.Querier) (postgres.ChannelRow, error) {
		return postgres.AlertChannels{Q: q}.Lock(ctx, who.Where(account.AlertWrite), id)
	})
}

// putChannel stores a channel in the place of the one that find finds, of which a new one has only the id and the project.
func (s *Service) putChannel(ctx context.Context, c alert.Channel, find func(postgres.Querier) (postgres.ChannelRow, error)) (row postgres.ChannelRow, err error) {
	uses, checked := c.Check()
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		old, err := find(q)
		if err != nil {
			return err
		}
		if checked != nil {
			return checked
		}
		id, project := old.ID, old.ProjectID
		channels := postgres.AlertChannels{Q: q}
		if others, err := channels.Others(ctx, project, id); err != nil || others >= alert.MaxChannels {
			return tooMany(err, others, "channels")
		}
		if err := holdUses(ctx, q, project, uses); err != nil {
			return err
		}
		row, err = channels.Put(ctx, postgres.ChannelRow{
			ID: id, ProjectID: project, Name: c.Name, Action: c.Action, Config: c.Config,
			Secrets: namesUnder(uses, workflow.RootSecrets), Vars: namesUnder(uses, workflow.RootVars),
		})
		if err != nil {
			return takenName(err, "channel")
		}
		return noteChannel(ctx, q, old, row)
	})
	return row, err
}

// noteChannel notes what became of a channel. What its configuration says may be worth a password: only which parts of it
// changed is noted.
func noteChannel(ctx context.Context, q postgres.Querier, old, row postgres.ChannelRow) error {
	config, err := changedMembers(old.Config, row.Config)
	if err != nil {
		return err
	}
	c := audit.Change{
		Action: audit.ChannelCreate, Project: row.ProjectID, Object: audit.Of(row.ID, row.Name),
		After: audit.Data{"name": row.Name, "action": row.Action, "config_changed": config},
	}
	if old.Name != "" {
		c.Action, c.Before = audit.ChannelUpdate, audit.Data{"name": old.Name, "action": old.Action}
	}
	return postgres.Note(ctx, q, c)
}

func namesUnder(uses []workflow.Use, root string) (names []string) {
	for _, u := range uses {
		if u.Root == root && !slices.Contains(names, u.Name) {
			names = append(names, u.Name)
		}
	}
	return names
}

// holdUses refuses names of values that a project does not have; the others stay until the transaction ends.
func holdUses(ctx context.Context, q postgres.Querier, project uuid.UUID, uses []workflow.Use) error {
	if len(uses) == 0 {
		return nil
	}
	values := postgres.Values{Q: q}
	missing, err := values.Hold(ctx, keysOf(project, uses))
	if err != nil || len(missing) == 0 {
		return err
	}
	there, err := values.Names(ctx, project)
	if err != nil {
		return err
	}
	return unknownNames(uses, there)
}

// unnamedByChannels refuses to remove what channels name.
func unnamedByChannels(ctx context.Context, q postgres.Querier, project uuid.UUID, root, name string) error {
	names, err := postgres.AlertChannels{Q: q}.Naming(ctx, project, root, name)
	if err != nil || len(names) == 0 {
		return err
	}
	what := map[string]string{workflow.RootSecrets: "secret", workflow.RootVars: "variable"}[root]
	return fault.New(fault.Conflict, what+"_in_use", "The %s cannot be deleted while channels of alerts name it: %s", what, strings.Join(names, ", "))
}

func tooMany(err error, others int, what string) error {
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "too_many", "The project has %d %s, and no more can be", others, what)
}

// takenName says which name is taken.
func takenName(err error, what string) error {
	if fault.Is(err, fault.Conflict) {
		return fault.New(fault.Conflict, "name_taken", "The project has a %s of that name already", what)
	}
	return err
}

// DeleteChannel removes a channel that no rule names.
func (s *Service) DeleteChannel(ctx context.Context, who account.Principal, id uuid.UUID) error {
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		row, err := postgres.AlertChannels{Q: q}.Lock(ctx, who.Where(account.AlertWrite), id)
		if err != nil {
			return err
		}
		rules, err := postgres.AlertRules{Q: q}.List(ctx, postgres.RuleFilter{Projects: []uuid.UUID{row.ProjectID}, Channel: &id, Limit: alert.MaxRules})
		if err != nil {
			return err
		}
		if len(rules) > 0 {
			var names []string
			for _, r := range rules {
				names = append(names, r.Spec.Name)
			}
			return fault.New(fault.Conflict, "channel_in_use", "The channel cannot be deleted while rules name it: %s", strings.Join(names, ", "))
		}
		if err := (postgres.AlertChannels{Q: q}).Delete(ctx, id); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{
			Action: audit.ChannelDelete, Project: row.ProjectID, Object: audit.Of(id, row.Name), Before: audit.Data{"name": row.Name, "action": row.Action},
		})
	})
}

// TestChannel sends a message to a channel alone, and answers its id.
func (s *Service) TestChannel(ctx context.Context, who account.Principal, id uuid.UUID, language string) (made uuid.UUID, err error) {
	made, err = uuid.NewV7()
	if err != nil {
		return made, fmt.Errorf("make an alert id: %w", err)
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		row, err := postgres.AlertChannels{Q: q}.Get(ctx, who.Where(account.AlertWrite), id)
		if err != nil {
			return err
		}
		now, err := postgres.Now(ctx, q)
		if err != nil {
			return err
		}
		facts := alert.Facts{Reason: row.Name, Since: now, At: now, Count: 1}
		err = postgres.Alerts{Q: q}.Insert(ctx, []postgres.NewAlert{{
			ID: made, ProjectID: row.ProjectID, Kind: alert.Test, Facts: facts, Message: alert.Write(alert.Test, facts, language, time.UTC),
			State: postgres.AlertOut, Channels: []uuid.UUID{id},
		}})
		if err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{
			Action: audit.ChannelTest, Project: row.ProjectID, Object: audit.Of(id, row.Name), After: audit.Data{"alert_id": made},
		})
	})
	return made, err
}

// CreateRule stores a new rule in a project. Errors: one that makes no sense, a name that is taken, channels or workflows that
// the project does not have, a project whose alerts are not the caller's to write.
func (s *Service) CreateRule(ctx context.Context, who account.Principal, project uuid.UUID, spec alert.Rule) (row postgres.RuleRow, err error) {
	if err := who.May(account.AlertWrite, project); err != nil {
		return row, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return row, fmt.Errorf("make a rule id: %w", err)
	}
	return s.putRule(ctx, spec, func(q postgres.Querier) (postgres.RuleRow, error) {
		return postgres.RuleRow{ID: id, ProjectID: project}, postgres.Projects{Q: q}.Hold(ctx, project)
	})
}

// ReplaceRule changes a rule; what it is not about any more ends without a word. Its errors are as CreateRule's.
func (s *Service) ReplaceRule(ctx context.Context, who account.Principal, id uuid.UUID, spec alert.Rule) (postgres.RuleRow, error) {
	return s.putRule(ctx, spec, func(q postgres.Querier) (postgres.RuleRow, error) {
		return postgres.AlertRules{Q: q}.Lock(ctx, who.Where(account.AlertWrite), id)
	})
}

// putRule stores a rule in the place of the one that find finds, of which a new one has only the id and the project.
func (s *Service) putRule(ctx context.Context, spec alert.Rule, find func(postgres.Querier) (postgres.RuleRow, error)) (row postgres.RuleRow, err error) {
	checked := spec.Complete()
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		old, err := find(q)
		if err != nil {
			return err
		}
		if checked != nil {
			return checked
		}
		id, project := old.ID, old.ProjectID
		rules := postgres.AlertRules{Q: q}
		if others, err := rules.Others(ctx, project, id); err != nil || others >= alert.MaxRules {
			return tooMany(err, others, "rules")
		}
		if err := known(ctx, q, project, spec); err != nil {
			return err
		}
		if row, err = rules.Put(ctx, postgres.RuleRow{ID: id, ProjectID: project, Spec: spec}); err != nil {
			return takenName(err, "rule")
		}
		if err := rules.Forget(ctx, id, spec); err != nil {
			return err
		}
		c := audit.Change{Action: audit.RuleCreate, Project: project, Object: audit.Of(id, spec.Name), After: row.Spec}
		if old.Spec.Name != "" {
			c.Action, c.Before = audit.RuleUpdate, old.Spec
		}
		return postgres.Note(ctx, q, c)
	})
	return row, err
}

// known refuses channels and workflows that a project does not have.
func known(ctx context.Context, q postgres.Querier, project uuid.UUID, spec alert.Rule) error {
	channels, err := postgres.AlertChannels{Q: q}.Hold(ctx, project, spec.Channels)
	if err != nil {
		return err
	}
	workflows, err := postgres.Workflows{Q: q}.Heads(ctx, spec.Workflows)
	if err != nil {
		return err
	}
	var fields []fault.Field
	for i, id := range spec.Channels {
		if !channels[id] {
			fields = append(fields, fault.Field{Pointer: fmt.Sprintf("/channels/%d", i), Code: "unknown_channel", Message: "the project has no such channel"})
		}
	}
	for i, id := range spec.Workflows {
		if head, ok := workflows[id]; !ok || head.ProjectID != project {
			fields = append(fields, fault.Field{Pointer: fmt.Sprintf("/workflows/%d", i), Code: "unknown_workflow", Message: "the project has no such workflow"})
		}
	}
	return fault.InvalidFields(fields)
}

// DeleteRule removes a rule; what was the matter by it ends without a word.
func (s *Service) DeleteRule(ctx context.Context, who account.Principal, id uuid.UUID) error {
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		row, err := postgres.AlertRules{Q: q}.Lock(ctx, who.Where(account.AlertWrite), id)
		if err != nil {
			return err
		}
		if err := (postgres.AlertRules{Q: q}).Delete(ctx, id); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{Action: audit.RuleDelete, Project: row.ProjectID, Object: audit.Of(id, row.Spec.Name), Before: row.Spec})
	})
}

// Mute lets nobody hear of a workflow for a time.
func (s *Service) Mute(ctx context.Context, who account.Principal, workflowID uuid.UUID, d time.Duration) (row postgres.MuteRow, err error) {
	if d < time.Minute || d > alert.MaxMute {
		return row, fault.At("/for", "range", "say for how long, from 1m to 365d")
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		of, err := postgres.Workflows{Q: q}.Get(ctx, who.Where(account.AlertWrite), workflowID)
		if err != nil {
			return err
		}
		if row, err = (postgres.AlertRules{Q: q}).Mute(ctx, workflowID, d, who.User.Username); err != nil {
			return err
		}
		c := aboutWorkflow(audit.WorkflowMute, of)
		c.After = audit.Data{"muted_until": row.Until}
		return postgres.Note(ctx, q, c)
	})
	return row, err
}

// Unmute lets people hear of a workflow again.
func (s *Service) Unmute(ctx context.Context, who account.Principal, workflowID uuid.UUID) error {
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		of, err := postgres.Workflows{Q: q}.Get(ctx, who.Where(account.AlertWrite), workflowID)
		if err != nil {
			return err
		}
		rules := postgres.AlertRules{Q: q}
		muted, err := rules.Muted(ctx, workflowID)
		if err != nil || muted == nil {
			return err
		}
		if err := rules.Unmute(ctx, workflowID); err != nil {
			return err
		}
		c := aboutWorkflow(audit.WorkflowUnmute, of)
		c.Before = audit.Data{"muted_until": muted.Until, "muted_by": muted.By}
		return postgres.Note(ctx, q, c)
	})
}

// RetryAlert lets a message be sent again to the channels that did not take it.
func (s *Service) RetryAlert(ctx context.Context, who account.Principal, id uuid.UUID) error {
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		alerts := postgres.Alerts{Q: q}
		row, err := alerts.Get(ctx, who.Where(account.AlertWrite), id)
		if err != nil {
			return err
		}
		again, err := alerts.Retry(ctx, id)
		if err == nil && !again {
			err = fault.New(fault.Conflict, "nothing_undelivered", "No channel refused this message for good")
		}
		if err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{Action: audit.AlertRetry, Project: row.ProjectID, Object: audit.Of(id, row.Title)})
	})
}
