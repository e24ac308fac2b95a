package run

import "github.com/google/uuid"

// Change says that something about a run is different now. It is a hint for those who watch: it may be lost, and what is
// true stands in the database.
type Change struct {
	RunID      uuid.UUID `json:"run"`
	WorkflowID uuid.UUID `json:"workflow"`
	ProjectID  uuid.UUID `json:"project"`
}
