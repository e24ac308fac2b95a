package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
	"github.com/guildmember145/orquestador-plataforma/pkg/webhook"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

type webhookCmd struct {
	Sign signCmd `cmd:"" help:"Sign a body as a service would, to try a webhook: prints the headers, as curl -H @file takes them."`
}

type signCmd struct {
	File            string           `arg:"" optional:"" help:"The body; standard input when absent."`
	Scheme          string           `required:"" enum:"standard_webhooks,github,stripe,slack,hmac" help:"How: ${enum}."`
	Secret          telemetry.Secret `env:"ORQ_WEBHOOK_SECRET" help:"What it is signed with. A command line is seen by everybody on the machine: use the variable."`
	ID              string           `help:"The request's id, where the scheme has one; a new one when absent."`
	Header          string           `help:"Of hmac: the header with the signature."`
	Algorithm       string           `help:"Of hmac: sha256, sha1 or sha512."`
	Encoding        string           `help:"Of hmac: hex or base64."`
	Prefix          string           `help:"Of hmac: what stands before the signature."`
	TimestampHeader string           `help:"Of hmac: the header with the time."`
	IDHeader        string           `name:"id-header" help:"Of hmac: the header with the id."`
}

// Run prints the headers.
func (c signCmd) Run(a *app) error {
	if c.Secret == "" {
		return errors.New("there is nothing to sign with; try: ORQ_WEBHOOK_SECRET=… orq webhook sign …")
	}
	if c.Scheme == workflow.SchemeHMAC && c.Header == "" {
		return errors.New("name the header of the signature; try: --header X-Signature")
	}
	body, err := c.body(a)
	if err != nil {
		return err
	}
	id := c.ID
	if id == "" {
		id = uuid.NewString()
	}
	how := workflow.Signature{
		Scheme: c.Scheme, Header: c.Header, Algorithm: c.Algorithm, Encoding: c.Encoding, Prefix: c.Prefix,
		TimestampHeader: c.TimestampHeader, IDHeader: c.IDHeader,
	}
	headers, err := webhook.Sign(how, c.Secret.Reveal(), id, body, clock.System{}.Now())
	if err != nil {
		return err
	}
	var lines []string
	for name := range headers {
		lines = append(lines, name+": "+headers.Get(name))
	}
	slices.Sort(lines)
	_, err = fmt.Fprintln(a.stdout, strings.Join(lines, "\n"))
	return err //nolint:wrapcheck // standard output is gone
}

func (c signCmd) body(a *app) ([]byte, error) {
	if c.File == "" {
		body, err := io.ReadAll(io.LimitReader(a.stdin, webhook.MaxBody+1))
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return body, nil
	}
	body, err := os.ReadFile(c.File)
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	return body, nil
}
