package postgres_test

// Why some statements name no project.
const (
	engine  = "goes through every project's rows for the engine, or for the command line; no operation calls it"
	found   = "goes by the id of something that whoever calls it has found within the caller's projects"
	looked  = "answers the project too, and whoever calls it holds that against the caller's"
	address = "goes by an address that nobody can guess: who knows it may"
	totals  = "counts what waits and runs, the same for everybody, and names nothing of a project"
	built   = "is put together when it runs; the projects are the first condition, and never missing"
	link    = "goes by a link that nobody can guess, or removes what is over: who knows it may"
	service = "goes by what another service says, of whom nobody knows yet who they are here"
	own     = "goes by the caller's own id"
	record  = "is about the audit log, which is the installation's; a project's part of it is asked for by its id"
	people  = "is about an account, for administrators of the installation"
)

var unscoped = map[string][]string{
	engine: {
		"APITokens.DropExpired", "AlertIncidents.Add", "AlertIncidents.End", "AlertIncidents.Told",
		"AlertIncidents.Untold", "AlertNews.Forget", "AlertNews.See", "AlertNews.Streaks", "AlertNews.Take", "AlertRules.On",
		"Alerts.Beat", "Alerts.Claim", "Alerts.DropOld", "Alerts.Finish", "Alerts.Ripe", "Alerts.Settle",
		"Addresses.DropExpired", "AfterFires.Take", "Approvals.Ask", "Backfills.DropEnded", "Backfills.LockBusy", "Backfills.Rest",
		"Backfills.Settle", "Backfills.Start", "Backfills.Waiting", "Children.Ended", "Children.Of", "Children.Orphans",
		"Children.Reserve", "Deliveries.DropKeys", "Deliveries.Free", "Deliveries.Reassign", "Deliveries.Reserve", "Heartbeats.Late",
		"Heartbeats.Lock", "Live.Beat", "Live.Census", "Live.Claim", "Live.ClaimReleased", "Live.CountCrash", "Live.Evict",
		"Live.ForgetEnqueued", "Live.ListCancelled", "Live.ListLate", "Live.NextDue", "Live.NotEnqueued", "Live.Nudge", "Live.OpenGates",
		"Live.Retake", "Live.TakeLost", "Measure.Ended", "Measure.Lateness", "Measure.NotSucceeded", "Occurrences.Backfill",
		"Occurrences.DropOld", "Occurrences.Extend", "Occurrences.Insert", "Occurrences.Latest", "Occurrences.carve",
		"Occurrences.dropCovered", "Occurrences.within", "Pauses.Begin", "Pauses.DropOld", "Pauses.End", "Retention.DropApprovals",
		"Retention.DropChildren", "Retention.DropCounts", "Retention.DropRuns", "Runs.InsertSteps", "Runs.LastSeq", "Runs.Overrun",
		"Runs.Underway", "Secrets.Stale", "StepTests.Claim", "StepTests.DropOld", "StepTests.Finish", "Storage.Full", "Storage.Weigh", "Storage.WeighedWithin", "Triggers.Advance",
		"Triggers.Failing", "Triggers.IDsAfter", "Triggers.LiveOf", "Triggers.LockDue", "Triggers.LockSome", "Triggers.NextFire",
		"Triggers.WatchedAfter", "Workflows.DefinitionJSON",
	},
	found: {
		"AlertChannels.Delete", "AlertRules.Delete", "AlertRules.Forget", "AlertRules.Mute", "AlertRules.Muted", "AlertRules.Unmute",
		"Alerts.Retry", "Drafts.Delete", "Drafts.Get", "Drafts.Keep", "Drafts.Name", "Drafts.Of", "Drafts.Put", "Values.Hold",
		"Addresses.Give", "Addresses.Of", "Addresses.Rotate", "Approvals.Decide", "Backfills.CancelOf", "Backfills.List",
		"Backfills.LiveRuns", "Backfills.RunsOf", "Backfills.SetState", "Calendars.Delete", "Calendars.Update", "Deliveries.Counts",
		"Deliveries.List", "Heartbeats.Arm", "Heartbeats.Of", "Live.AskCancel", "Live.LockHeld", "Live.OfWorkflow", "Live.Unhold",
		"Occurrences.About", "Occurrences.List", "Occurrences.covering", "Pauses.Since", "Runs.Decide", "Runs.Ended", "Runs.Logs",
		"Runs.Say", "Runs.Steps", "Triggers.AnyPaused", "Triggers.ByID", "Triggers.Find", "Triggers.Lock", "Triggers.Of",
		"Triggers.Stamps", "Values.SetUses", "Workflows.Delete", "Workflows.InsertVersion", "Workflows.RecentRuns", "Workflows.Update",
		"Workflows.Version", "Workflows.VersionAt", "Workflows.Versions",
	},
	looked: {
		"Workflows.Heads",
	},
	address: {
		"Addresses.Find", "Heartbeats.Note", "Triggers.Hurry",
	},
	totals: {
		"Queues.Backlogs", "Queues.List", "Queues.Workers",
	},
	built: {
		"Approvals.one", "Runs.List", "Workflows.List",
	},
	link: {
		"APITokens.principal", "Attempts.Begin", "Attempts.Take", "Invitations.DropExpired", "Invitations.Spend", "Invitations.one",
		"Resets.Spend",
	},
	service: {
		"Identities.Use",
	},
	own: {
		"APITokens.List", "APITokens.Revoke", "Identities.Delete", "Identities.Insert", "Identities.List", "Projects.Create", "Users.principal",
	},
	record: {
		"Audit.Cut", "Audit.Each", "Audit.Size", "AuditFilter.where",
	},
	people: {
		"Users.Disable", "Users.People",
	},
}
