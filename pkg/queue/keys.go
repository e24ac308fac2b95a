package queue

// The names of everything in Redis. Those that begin with asynq: are asynq's own (internal/base/base.go, v0.26).

func pendingKey(queue string) string { return "asynq:{" + queue + "}:pending" }
func pausedKey(queue string) string  { return "asynq:{" + queue + "}:paused" }
func activeKey(queue string) string  { return "asynq:{" + queue + "}:active" }
func leaseKey(queue string) string   { return "asynq:{" + queue + "}:lease" }

func taskKey(queue, id string) string { return "asynq:{" + queue + "}:t:" + id }

// roomKey holds how many tickets a queue may have before runs have to wait for their turn.
func roomKey(queue string) string { return "orq:{" + queue + "}:room" }

const (
	allQueuesKey  = "asynq:queues"
	epochKey      = "orq:epoch"   // gone when Redis lost its data
	wakeChannel   = "orq:wake"    // the name of a queue that has something
	cancelChannel = "orq:cancel"  // the id of a run that is to end
	changeChannel = "orq:changes" // what changed about runs, as JSON
	peopleChannel = "orq:people"  // the id of somebody who may do other things than before
)
