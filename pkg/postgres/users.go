package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// Users is the store of people and of the projects they work in.
type Users struct{ Q Querier }

// registrationLock makes registrations wait for each other, so that only one can be the first. Any number will do.
const registrationLock = 0x6f7271

// Register stores a user with a project of their own, who has no password when the hash is empty. The first one becomes the
// administrator. It needs a transaction. A taken e-mail or username is a conflict.
func (s Users) Register(ctx context.Context, u account.User, passwordHash string) (account.User, error) {
	if err := s.queue(ctx); err != nil {
		return u, err
	}
	err := s.Q.QueryRow(ctx, `
		insert into users (id, email, username, password_hash, role)
		select $1, $2, $3, nullif($4, ''), case when exists (select from users) then $5 else 'administrator' end
		returning role`, u.ID, u.Email, u.Username, passwordHash, u.Role).Scan(&u.Role)
	if err != nil {
		switch Constraint(err) {
		case "users_email":
			return u, takenFault("/email", "email_taken", "That e-mail address has an account already")
		case "users_username":
			return u, takenFault("/username", "username_taken", "That username is taken")
		}
		return u, fmt.Errorf("insert user: %w", translate(err))
	}
	project, err := uuid.NewV7()
	if err != nil {
		return u, fmt.Errorf("make a project id: %w", err)
	}
	return u, Projects(s).Create(ctx, project, u.Username, u.ID)
}

// queue waits until nobody else registers, to the end of the transaction.
func (s Users) queue(ctx context.Context) error {
	if _, err := s.Q.Exec(ctx, `select pg_advisory_xact_lock($1)`, registrationLock); err != nil {
		return fmt.Errorf("wait to register: %w", err)
	}
	return nil
}

// FreeUsername answers a name that nobody has: the wanted one, that with a number, or, where very many are called so, with
// something random. It needs the transaction in which the user is registered.
func (s Users) FreeUsername(ctx context.Context, wanted string) (name string, err error) {
	if err := s.queue(ctx); err != nil {
		return "", err
	}
	short := string([]rune(wanted)[:min(len([]rune(wanted)), account.MaxUsername-8)])
	err = s.Q.QueryRow(ctx, `
		select name from (
		    select 1 as n, $1 as name union all select n, $2 || ' ' || n from generate_series(2, 50) n
		    union all select 51, $2 || ' ' || left(gen_random_uuid()::text, 7)) candidates
		 where not exists (select from users u where lower(u.username) = lower(name)) order by n limit 1`, wanted, short).Scan(&name)
	if err != nil {
		return "", fmt.Errorf("find a free username: %w", translate(err))
	}
	return name, nil
}

func takenFault(pointer, code, message string) error {
	return &fault.Error{
		Kind: fault.Conflict, Code: code, Message: message,
		Fields: []fault.Field{{Pointer: pointer, Code: code, Message: message}},
	}
}

// Any tells whether anybody has registered.
func (s Users) Any(ctx context.Context) (bool, error) {
	var any bool
	if err := s.Q.QueryRow(ctx, `select exists (select from users)`).Scan(&any); err != nil {
		return false, fmt.Errorf("look for users: %w", err)
	}
	return any, nil
}

// HasEmail tells whether an e-mail address has an account, also one that is disabled.
func (s Users) HasEmail(ctx context.Context, email string) (has bool, err error) {
	if err := s.Q.QueryRow(ctx, `select exists (select from users where lower(email) = lower($1))`, email).Scan(&has); err != nil {
		return false, fmt.Errorf("look for an address: %w", err)
	}
	return has, nil
}

// Credentials finds a user by e-mail, with the hash of the password. Both are empty when there is none, or when the
// account is disabled; the hash alone when it has no password.
func (s Users) Credentials(ctx context.Context, email string) (u account.User, hash string, err error) {
	err = s.Q.QueryRow(ctx, `
		select id, email, username, role, coalesce(password_hash, '') from users where lower(email) = lower($1) and disabled_at is null`,
		email).Scan(&u.ID, &u.Email, &u.Username, &u.Role, &hash)
	if translate(err) == ErrNotFound { //nolint:errorlint // translate answers the very value
		return account.User{}, "", nil
	}
	if err != nil {
		return u, "", fmt.Errorf("find credentials: %w", err)
	}
	return u, hash, nil
}

// Principal finds a user with the projects they work in; ErrNotFound when there is none, when the account is disabled, or
// when the session has ended.
func (s Users) Principal(ctx context.Context, user, session uuid.UUID) (account.Principal, error) {
	p, err := s.principal(ctx, `join sessions s on s.id = $2 and s.user_id = u.id and s.revoked_at is null and s.expires_at > now()`, user, session)
	p.Session = session
	return p, err
}

// ByID finds a user who is not disabled, with their projects; ErrNotFound when there is none.
func (s Users) ByID(ctx context.Context, user uuid.UUID) (account.Principal, error) {
	return s.principal(ctx, "", user)
}

func (s Users) principal(ctx context.Context, on string, params ...any) (principal account.Principal, err error) {
	rows, err := s.Q.Query(ctx, `
		select u.id, u.email, u.username, u.role, p.id, p.name, m.role
		  from users u `+on+`
		  left join project_members m on m.user_id = u.id
		  left join projects p on p.id = m.project_id
		 where u.id = $1 and u.disabled_at is null
		 order by p.id`, params...)
	if err != nil {
		return principal, fmt.Errorf("find principal: %w", err)
	}
	var project *uuid.UUID
	var name *string
	var role *account.ProjectRole
	u := &principal.User
	found, err := pgx.ForEachRow(rows, []any{&u.ID, &u.Email, &u.Username, &u.Role, &project, &name, &role}, func() error {
		if project != nil {
			principal.Projects = append(principal.Projects, account.Membership{ProjectID: *project, Name: *name, Role: *role})
		}
		return nil
	})
	if err != nil {
		return account.Principal{}, fmt.Errorf("find principal: %w", err)
	}
	if found.RowsAffected() == 0 {
		return account.Principal{}, ErrNotFound
	}
	return principal, nil
}

// UserRow is a user as an administrator sees it.
type UserRow struct {
	Email    string       `db:"email"`
	Username string       `db:"username"`
	Role     account.Role `db:"role"`
	Disabled bool         `db:"disabled"`
}

// List lists everybody, the first to register first.
func (s Users) List(ctx context.Context) ([]UserRow, error) {
	rows, err := s.Q.Query(ctx, `select email, username, role, disabled_at is not null as disabled from users order by created_at, id`)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[UserRow])
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return list, nil
}

// SetPassword stores another password, ends the user's sessions, and answers who it is; ErrNotFound when nobody has that e-mail.
func (s Users) SetPassword(ctx context.Context, email, hash string) (account.User, error) {
	return s.changeByEmail(ctx, `password_hash = $2`, email, hash)
}

// SetRole gives a user another role, ends the user's sessions, and answers who it was; ErrNotFound when nobody has that e-mail.
func (s Users) SetRole(ctx context.Context, email string, role account.Role) (account.User, error) {
	return s.changeByEmail(ctx, `role = $2`, email, role)
}

// changeByEmail answers the user as it was before.
func (s Users) changeByEmail(ctx context.Context, set, email string, value any) (u account.User, err error) {
	err = s.Q.QueryRow(ctx, `
		with old as materialized (select id, email, username, role from users where lower(email) = lower($1) for update)
		update users set `+set+` from old where users.id = old.id returning old.id, old.email, old.username, old.role`,
		email, value).Scan(&u.ID, &u.Email, &u.Username, &u.Role)
	if err != nil {
		return u, fmt.Errorf("change user: %w", translate(err))
	}
	return u, s.EndSessions(ctx, u.ID, "the account was changed")
}
