// Short names for the shapes of the contract.
import type { components } from './schema'

type Schemas = components['schemas']

export type System = Schemas['System']
export type Me = Schemas['Me']
export type Workflow = Schemas['Workflow']
export type APIToken = Schemas['APIToken']
export type APITokenInput = Schemas['APITokenInput']
export type NewAPIToken = Schemas['NewAPIToken']
export type Scope = Schemas['Scope']
export type Approval = Schemas['Approval']
export type Asked = Schemas['Asked']
export type LinkVerdict = Schemas['LinkVerdict']
export type Verdict = Schemas['Verdict']
export type Child = Schemas['Child']
export type Action = Schemas['Action']
export type WorkflowInput = Schemas['WorkflowInput']
export type WorkflowPage = Schemas['WorkflowPage']
export type Trigger = Schemas['Trigger']
export type TriggerInput = Schemas['TriggerInput']
export type Step = Schemas['Step']
export type Retry = Schemas['Retry']
export type Version = Schemas['Version']
export type SavedDraft = Schemas['Draft']
export type DraftPlan = Schemas['DraftPlan']
export type VersionPage = Schemas['VersionPage']
export type Preview = Schemas['Preview']
export type PreviewRequest = Schemas['PreviewRequest']
export type Run = Schemas['Run']
export type RunSummary = Schemas['RunSummary']
export type RunBrief = Schemas['RunBrief']
export type RunPage = Schemas['RunPage']
export type RunStatus = Schemas['RunStatus']
export type StepStatus = Schemas['StepStatus']
export type RunTrigger = Schemas['RunTrigger']
export type StepRun = Schemas['StepRun']
export type Attempt = Schemas['Attempt']
export type LogLine = Schemas['LogLine']
export type LogPage = Schemas['LogPage']
export type Rerun = Schemas['Rerun']
export type Occurrence = Schemas['Occurrence']
export type OccurrencePage = Schemas['OccurrencePage']
export type OccurrenceOutcome = Schemas['OccurrenceOutcome']
export type Stats = Schemas['Stats']
export type Overview = Schemas['Overview']
export type Attention = Schemas['Attention']
export type Queue = Schemas['Queue']
export type QueueList = Schemas['QueueList']
export type Worker = Schemas['Worker']
export type WorkerList = Schemas['WorkerList']
export type RunInHand = Schemas['RunInHand']
export type Host = Schemas['Host']
export type Resolution = Schemas['Resolution']
export type StepTest = Schemas['StepTest']
export type StepTestInput = Schemas['StepTestInput']
export type Calendar = Schemas['Calendar']
export type CalendarInput = Schemas['CalendarInput']
export type CalendarPage = Schemas['CalendarPage']
export type Secret = Schemas['Secret']
export type SecretInput = Schemas['SecretInput']
export type Variable = Schemas['Variable']
export type VariableInput = Schemas['VariableInput']
export type Backfill = Schemas['Backfill']
export type BackfillInput = Schemas['BackfillInput']
export type BackfillPage = Schemas['BackfillPage']
export type BackfillPreview = Schemas['BackfillPreview']
export type Explanation = Schemas['Explanation']
export type Provider = Schemas['Provider']
export type ProviderID = Schemas['ProviderID']
export type Identity = Schemas['Identity']
/** Where to send the browser. */
export type Away = Schemas['Away']
export type LoginSession = Schemas['LoginSession']
export type Membership = Schemas['Membership']
export type ProjectRole = Schemas['ProjectRole']
export type Project = Schemas['Project']
export type Member = Schemas['Member']
export type ProjectQuota = Schemas['ProjectQuota']
export type QuotaInput = Schemas['QuotaInput']
export type QuotaUse = Schemas['QuotaUse']
export type Egress = Schemas['Egress']
export type InstallationProject = Schemas['InstallationProject']
export type Invitation = Schemas['Invitation']
export type NewInvitation = Schemas['NewInvitation']
export type InvitationSeen = Schemas['InvitationSeen']
export type Person = Schemas['Person']
export type PersonPage = Schemas['PersonPage']
export type Delivery = Schemas['Delivery']
export type DeliverySummary = Schemas['DeliverySummary']
export type DeliveryVerdict = Schemas['DeliveryVerdict']
export type HeartbeatState = Schemas['HeartbeatState']
export type Alert = Schemas['Alert']
export type AlertKind = Schemas['AlertKind']
export type AlertDelivery = Schemas['AlertDelivery']
export type Channel = Schemas['Channel']
export type ChannelInput = Schemas['ChannelInput']
export type ChannelType = Schemas['ChannelType']
export type Mute = Schemas['Mute']
export type Rule = Schemas['Rule']
export type RuleInput = Schemas['RuleInput']
export type AuditEntry = Schemas['AuditEntry']
export type AuditReport = Schemas['AuditReport']
export type Problem = Schemas['Problem']
export type FieldProblem = NonNullable<Problem['errors']>[number]

export const runStatuses: readonly RunStatus[] = [
  'queued',
  'running',
  'waiting',
  'held',
  'succeeded',
  'failed',
  'cancelled',
]
export const runTriggers: readonly RunTrigger[] = [
  'manual',
  'schedule',
  'webhook',
  'after',
  'heartbeat',
  'rerun',
  'backfill',
  'workflow',
]
export const outcomes: readonly OccurrenceOutcome[] = [
  'ran',
  'ran_late',
  'coalesced',
  'skipped',
  'superseded',
]

/** Tells whether a run or step in this status will not change any more. */
export function isFinished(status: StepStatus): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled' || status === 'skipped'
}
