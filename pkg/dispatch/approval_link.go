package dispatch

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
)

// ApprovalPath is where the addresses of questions begin. Whoever has such an address may answer, without an account.
const ApprovalPath = "/approve/"

const (
	approvalPurpose = "approval"
	proofLength     = 16 // bytes of secret.Keyring.Sign
)

// ApprovalToken is the secret part of the address of what a step of a run asks, or will ask. It is calculated from the
// installation's key rather than kept, so that a message can hold it before the question is there.
func ApprovalToken(keys *secret.Keyring, run uuid.UUID, step string) string {
	what := append(run[:], step...)
	return base64.RawURLEncoding.EncodeToString(append(keys.Sign(approvalPurpose, what), what...))
}

// readApprovalToken answers whose question a token is for; ok is false for what ApprovalToken did not make.
func readApprovalToken(keys *secret.Keyring, token string) (run uuid.UUID, step string, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= proofLength+len(run) || !keys.Verify(approvalPurpose, raw[proofLength:], raw[:proofLength]) {
		return run, "", false
	}
	copy(run[:], raw[proofLength:])
	return run, string(raw[proofLength+len(run):]), true
}

// Asked finds the question that a token is for. Errors: not found, a step that has not asked yet.
func (s *Service) Asked(ctx context.Context, token string) (postgres.ApprovalRow, error) {
	run, step, ok := readApprovalToken(s.Secrets, token)
	if !ok {
		return postgres.ApprovalRow{}, fault.New(fault.NotFound, "not_found", "There is no question with this address")
	}
	row, err := postgres.Approvals{Q: s.db}.Newest(ctx, run, step)
	if errors.Is(err, postgres.ErrNotFound) {
		return postgres.ApprovalRow{}, fault.New(fault.NotFound, "not_asked", "The run has not come to this question, or is gone")
	}
	return row, err
}

// DecideAs answers the question that a token is for. by is what the person calls themselves; that nobody has looked is
// kept with it.
func (s *Service) DecideAs(ctx context.Context, token, by string, v Verdict) (postgres.ApprovalRow, error) {
	row, err := s.Asked(ctx, token)
	if err != nil {
		return postgres.ApprovalRow{}, err
	}
	from := audit.From(ctx)
	from.Actor = audit.Actor{Kind: audit.Link, Name: strings.TrimSpace(by)}
	return s.decide(audit.With(ctx, from), row, strings.TrimSpace(by)+" (link)", v)
}
