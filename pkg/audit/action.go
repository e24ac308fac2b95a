package audit

import "strings"

// Action is what was done, as a stable code: what it was done to, and a verb.
type Action string

// The actions. docs/audit.md says what each is, and the interface calls each by a name in both languages; a test holds
// them against this list.
const (
	AccountRegister  Action = "account.register"
	AccountCreate    Action = "account.create" // from the command line
	AccountDisable   Action = "account.disable"
	AccountEnable    Action = "account.enable"
	AccountRole      Action = "account.role"
	AccountPassword  Action = "account.password"
	AccountResetLink Action = "account.reset_link"

	SessionLogin  Action = "session.login"
	SessionRefuse Action = "session.refuse" // wrong passwords
	SessionLogout Action = "session.logout"
	SessionEnd    Action = "session.end"
	SessionEndAll Action = "session.end_all"
	SessionReuse  Action = "session.reuse" // of a refresh token; the session has ended

	IdentityLink   Action = "identity.link" // an account at another service
	IdentityUnlink Action = "identity.unlink"

	TokenCreate Action = "token.create"
	TokenRevoke Action = "token.revoke"

	ProjectCreate Action = "project.create"
	ProjectRename Action = "project.rename"
	ProjectDelete Action = "project.delete"
	ProjectLimit  Action = "project.limit"
	ProjectQuota  Action = "project.quota"
	// What its calls may reach: kept to a list by its own people, let further by administrators.
	ProjectRestrict Action = "project.restrict"
	ProjectAllow    Action = "project.allow"

	MemberJoin   Action = "member.join"
	MemberRole   Action = "member.role"
	MemberRemove Action = "member.remove"
	MemberLeave  Action = "member.leave"

	InvitationCreate   Action = "invitation.create"
	InvitationWithdraw Action = "invitation.withdraw"

	WorkflowCreate  Action = "workflow.create"
	WorkflowUpdate  Action = "workflow.update"
	WorkflowPublish Action = "workflow.publish"
	WorkflowEnable  Action = "workflow.enable"
	WorkflowDisable Action = "workflow.disable"
	WorkflowDelete  Action = "workflow.delete"
	WorkflowMute    Action = "workflow.mute"
	WorkflowUnmute  Action = "workflow.unmute"

	DraftBegin   Action = "draft.begin"
	DraftDiscard Action = "draft.discard"

	WebhookRotate Action = "webhook.rotate"

	SecretCreate  Action = "secret.create"
	SecretUpdate  Action = "secret.update"
	SecretDelete  Action = "secret.delete"
	SecretsRotate Action = "secret.rotate" // all of them, to another installation key

	VariableCreate Action = "variable.create"
	VariableUpdate Action = "variable.update"
	VariableDelete Action = "variable.delete"

	CalendarCreate Action = "calendar.create"
	CalendarUpdate Action = "calendar.update"
	CalendarDelete Action = "calendar.delete"

	ChannelCreate Action = "alert_channel.create"
	ChannelUpdate Action = "alert_channel.update"
	ChannelDelete Action = "alert_channel.delete"
	ChannelTest   Action = "alert_channel.test"
	RuleCreate    Action = "alert_rule.create"
	RuleUpdate    Action = "alert_rule.update"
	RuleDelete    Action = "alert_rule.delete"
	AlertRetry    Action = "alert.retry"

	ApprovalDecide Action = "approval.decide"

	RunCancel  Action = "run.cancel"
	RunRerun   Action = "run.rerun"
	RunResolve Action = "run.resolve"

	DeliveryReplay Action = "delivery.replay"

	BackfillStart  Action = "backfill.start"
	BackfillPause  Action = "backfill.pause"
	BackfillResume Action = "backfill.resume"
	BackfillCancel Action = "backfill.cancel"

	QueuePause   Action = "queue.pause"
	QueueResume  Action = "queue.resume"
	QueueLimit   Action = "queue.limit"
	QueueMonitor Action = "queue.monitor" // changed in the queue monitor
	HostLimit    Action = "host.limit"
	HostFree     Action = "host.free"

	AuditVerify Action = "audit.verify"
	AuditExport Action = "audit.export"
	AuditCut    Action = "audit.cut"
)

// Kind is what the action is done to: its first part.
func (a Action) Kind() string {
	kind, _, _ := strings.Cut(string(a), ".")
	return kind
}

// Actions are all of them, in the order of this file.
func Actions() []Action {
	return []Action{
		AccountRegister, AccountCreate, AccountDisable, AccountEnable, AccountRole, AccountPassword, AccountResetLink,
		SessionLogin, SessionRefuse, SessionLogout, SessionEnd, SessionEndAll, SessionReuse, IdentityLink, IdentityUnlink,
		TokenCreate, TokenRevoke,
		ProjectCreate, ProjectRename, ProjectDelete, ProjectLimit, ProjectQuota, ProjectRestrict, ProjectAllow, MemberJoin, MemberRole, MemberRemove, MemberLeave,
		InvitationCreate, InvitationWithdraw, WorkflowCreate, WorkflowUpdate, WorkflowPublish, WorkflowEnable, WorkflowDisable,
		WorkflowDelete, WorkflowMute, WorkflowUnmute, DraftBegin, DraftDiscard, WebhookRotate, SecretCreate, SecretUpdate,
		SecretDelete, SecretsRotate, VariableCreate, VariableUpdate, VariableDelete, CalendarCreate, CalendarUpdate, CalendarDelete,
		ChannelCreate, ChannelUpdate, ChannelDelete, ChannelTest, RuleCreate, RuleUpdate, RuleDelete, AlertRetry, ApprovalDecide,
		RunCancel, RunRerun, RunResolve, DeliveryReplay, BackfillStart, BackfillPause, BackfillResume, BackfillCancel,
		QueuePause, QueueResume, QueueLimit, QueueMonitor, HostLimit, HostFree, AuditVerify, AuditExport, AuditCut,
	}
}
