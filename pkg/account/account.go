// Package account knows who may do what: users, projects, roles and the permissions they carry.
package account

import (
	"net/mail"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// Role is what a user is in the installation.
type Role string

// The installation's roles. The first user to register is the administrator.
const (
	Administrator Role = "administrator" // users, limits, the queue's dashboard
	Member        Role = "member"
)

// ProjectRole is what a user is in one project.
type ProjectRole string

// The project's roles, most powerful first.
const (
	Owner    ProjectRole = "owner"
	Admin    ProjectRole = "admin"
	Editor   ProjectRole = "editor"
	Operator ProjectRole = "operator" // runs, cancels, replays
	Viewer   ProjectRole = "viewer"
)

// Permission is what an operation of the API asks for: its x-permission in the contract.
type Permission string

// The permissions on a project and its objects.
const (
	ProjectRead   Permission = "project.read"   // its name and its members
	ProjectWrite  Permission = "project.write"  // its name
	ProjectDelete Permission = "project.delete" // with everything in it
	MemberWrite   Permission = "member.write"   // invite, change roles, remove; what concerns owners is theirs alone
	AuditRead     Permission = "audit.read"     // who changed what in it
	WorkflowRead  Permission = "workflow.read"
	WorkflowWrite Permission = "workflow.write"
	RunRead       Permission = "run.read"
	RunStart      Permission = "run.start"
	RunCancel     Permission = "run.cancel"
	SecretRead    Permission = "secret.read" // their names; their values nobody reads
	SecretWrite   Permission = "secret.write"
	VariableRead  Permission = "variable.read"
	VariableWrite Permission = "variable.write"
	AlertRead     Permission = "alert.read"
	AlertWrite    Permission = "alert.write"
)

var (
	viewing    = []Permission{ProjectRead, WorkflowRead, RunRead, VariableRead, AlertRead}
	operating  = slices.Concat(viewing, []Permission{RunStart, RunCancel})
	editing    = slices.Concat(operating, []Permission{WorkflowWrite, VariableWrite, SecretRead, AlertWrite})
	governing  = slices.Concat(editing, []Permission{SecretWrite, ProjectWrite, MemberWrite, AuditRead})
	everything = slices.Concat(governing, []Permission{ProjectDelete})

	granted = map[ProjectRole][]Permission{Owner: everything, Admin: governing, Editor: editing, Operator: operating, Viewer: viewing}
)

// Allows tells whether the role carries the permission.
func (r ProjectRole) Allows(p Permission) bool { return slices.Contains(granted[r], p) }

// Permissions are those that the role carries.
func (r ProjectRole) Permissions() []Permission { return slices.Clone(granted[r]) }

// Administer is the permission to look after the installation; it is no project's.
const Administer Permission = "administrator"

// Scopes are what an API token can be made for.
func Scopes() []Permission { return append(slices.Clone(everything), Administer) }

// IsOfProject tells that the permission is one on a project's objects: some role carries it.
func (p Permission) IsOfProject() bool { return slices.Contains(everything, p) }

// User is a person with an account.
type User struct {
	ID       uuid.UUID
	Email    string
	Username string
	Role     Role
}

// Membership is a user's role in one project.
type Membership struct {
	ProjectID uuid.UUID
	Name      string
	Role      ProjectRole
}

// Principal is who makes a request.
type Principal struct {
	User     User
	Session  uuid.UUID // the session of the token; the zero UUID where there is none
	Projects []Membership
	Token    uuid.UUID    // the API token, where a program comes with one; it has no session
	Scopes   []Permission // what the API token may do of what its user may
}

// Within tells whether the principal came with what may be used for the permission at all: a session, or a token with that
// scope.
func (p Principal) Within(permission Permission) bool {
	return p.Token == uuid.Nil || slices.Contains(p.Scopes, permission)
}

// Administers tells whether the principal may look after the installation: an administrator, and not by a token for less.
func (p Principal) Administers() bool { return p.User.Role == Administrator && p.Within(Administer) }

// Can tells whether the principal has the permission in the project.
func (p Principal) Can(permission Permission, project uuid.UUID) bool {
	return p.In(project).Allows(permission) && p.Within(permission)
}

// In is the principal's role in a project; empty when they are no member.
func (p Principal) In(project uuid.UUID) ProjectRole {
	i := slices.IndexFunc(p.Projects, func(m Membership) bool { return m.ProjectID == project })
	if i < 0 {
		return ""
	}
	return p.Projects[i].Role
}

// May refuses what the principal may not do in a project. One that they are no member of is not there for them.
func (p Principal) May(permission Permission, project uuid.UUID) error {
	switch role := p.In(project); {
	case role == "":
		return fault.Missing
	case !role.Allows(permission):
		return fault.New(fault.Forbidden, "role_forbids", "You are %s of this project, and that takes the permission %s; ask one of its admins", role, permission)
	case !p.Within(permission):
		return fault.New(fault.Forbidden, "scope_missing", "This API token has not the scope %s", permission)
	}
	return nil
}

// Where lists the projects in which the principal has the permission.
func (p Principal) Where(permission Permission) []uuid.UUID {
	ids := make([]uuid.UUID, 0, len(p.Projects))
	for _, m := range p.Projects {
		if m.Role.Allows(permission) && p.Within(permission) {
			ids = append(ids, m.ProjectID)
		}
	}
	return ids
}

// Without lists the projects of which the principal is a member who may not use the permission.
func (p Principal) Without(permission Permission) []uuid.UUID {
	var ids []uuid.UUID
	for _, m := range p.Projects {
		if !m.Role.Allows(permission) || !p.Within(permission) {
			ids = append(ids, m.ProjectID)
		}
	}
	return ids
}

// Home is the principal's own project: the first that they own. ok is false when they own none.
func (p Principal) Home() (id uuid.UUID, ok bool) {
	i := slices.IndexFunc(p.Projects, func(m Membership) bool { return m.Role == Owner })
	if i < 0 {
		return uuid.UUID{}, false
	}
	return p.Projects[i].ProjectID, true
}

// MaxProjectName is the length of a project's name, in characters.
const MaxProjectName = 100

// CleanProjectName accepts one line of text.
func CleanProjectName(raw string) (string, error) {
	name := strings.TrimSpace(raw)
	if name == "" || len([]rune(name)) > MaxProjectName || strings.ContainsFunc(name, unicode.IsControl) {
		return "", fault.At("/name", "project_name", "a name is needed, of at most %d characters, without line breaks", MaxProjectName)
	}
	return name, nil
}

// CleanEmail accepts a plain address: one @, a domain, nothing around it.
func CleanEmail(raw string) (string, error) {
	email := strings.TrimSpace(raw)
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || parsed.Name != "" {
		return "", fault.At("/email", "email", "%q is not an e-mail address", email)
	}
	return email, nil
}

// MaxUsername is the length of a username, in characters.
const MaxUsername = 64

// CleanUsername accepts one line of text.
func CleanUsername(raw string) (string, error) {
	name := strings.TrimSpace(raw)
	if name == "" || len([]rune(name)) > MaxUsername || strings.ContainsFunc(name, unicode.IsControl) {
		return "", fault.At("/username", "username", "a username is needed, of at most %d characters, without line breaks", MaxUsername)
	}
	return name, nil
}
