package main

import (
	"errors"
	"fmt"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
)

type secretsCmd struct {
	Rotate secretsRotateCmd `cmd:"" help:"Seal all secrets with the present ORQ_SECRET_KEY, after it was changed; the one before it is ORQ_SECRET_KEY_PREVIOUS."`
}

type secretsRotateCmd struct {
	database `embed:""`
	keys     `embed:""`
}

// Validate implements kong's hook, so that everything that is missing is said at once.
func (c secretsRotateCmd) Validate() error {
	return errors.Join(c.database.Validate(), c.keys.Validate())
}

// Run wraps the keys of all secrets anew; everything may run meanwhile.
func (c *secretsRotateCmd) Run(a *app) error {
	ring, err := c.ring()
	if err != nil {
		return err
	}
	db, err := c.open(a.stop)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SealWith(ring)
	done, left, err := dispatch.RotateSecrets(byHand(a.stop), db, ring)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%d secrets are sealed with the present key now\n", done)
	for _, l := range left {
		fmt.Fprintf(a.stdout, "%s of project %s is not: %s\n", l.Name, l.ProjectID, l.Err)
	}
	if len(left) > 0 {
		return fmt.Errorf("%d secrets could not be opened", len(left))
	}
	return nil
}
