package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/mail"
)

type letter = mail.Letter

// outbox sends the installation's own mails, one after the other, so that nobody who asks for one waits for it. A mail that
// the server does not take after a few tries is logged and given up: whoever wanted it asks again.
type outbox struct {
	server  mail.Server
	network mail.Network
	close   func()
	from    string
	clock   clock.Clock
	log     *slog.Logger
	waiting chan writes
}

// writes makes a letter when its turn has come; nil when there is none to send.
type writes func(ctx context.Context) (*letter, error)

const (
	outboxRoom   = 200 // mails that may wait
	sendPatience = 30 * time.Second
	sendTries    = 3
	sendPause    = 5 * time.Second // between two tries
)

// checkMail tells what is wrong with the settings about mail.
func (c Config) checkMail() error {
	if c.SMTPURL == "" {
		return nil
	}
	if _, err := mail.ParseServer(c.SMTPURL.Reveal()); err != nil {
		return fmt.Errorf("ORQ_SMTP_URL: %w", err)
	}
	if _, err := netmail.ParseAddress(c.MailFrom); err != nil {
		return errors.New("ORQ_MAIL_FROM must be an address such as Orquestador <orq@example.com>, since ORQ_SMTP_URL is set")
	}
	if c.PublicURL == "" {
		return errors.New("ORQ_PUBLIC_URL must be set, since ORQ_SMTP_URL is: it stands before the links in mails")
	}
	return nil
}

// newOutbox makes the outbox; nil when no server is set. The server is the administrator's choice, so that it may be inside;
// nothing else may.
func newOutbox(cfg Config, clk clock.Clock, log *slog.Logger) (*outbox, error) {
	if cfg.SMTPURL == "" {
		return nil, nil
	}
	server, err := mail.ParseServer(cfg.SMTPURL.Reveal())
	if err != nil {
		return nil, fmt.Errorf("ORQ_SMTP_URL: %w", err)
	}
	network, err := egress.New(egress.Config{Allow: []string{server.Host}})
	if err != nil {
		return nil, fmt.Errorf("ORQ_SMTP_URL: %w", err)
	}
	return &outbox{server: server, network: network, close: network.Close, from: cfg.MailFrom, clock: clk, log: log, waiting: make(chan writes, outboxRoom)}, nil
}

// put lets a mail be sent; false when there is no room.
func (o *outbox) put(w writes) bool {
	select {
	case o.waiting <- w:
		return true
	default:
		o.log.Warn("the outbox is full; a mail is not sent")
		return false
	}
}

// run sends until stop ends. Without a server there is nothing to do.
func (o *outbox) run(ctx, stop context.Context) error {
	if o == nil {
		<-stop.Done()
		return nil
	}
	defer o.close()
	for {
		select {
		case w := <-o.waiting:
			if err := o.send(ctx, stop, w); err != nil {
				o.log.WarnContext(ctx, "a mail could not be sent", "server", o.server.Address(), "error", err)
			}
		case <-stop.Done():
			return nil
		}
	}
}

func (o *outbox) send(ctx, stop context.Context, w writes) error {
	l, err := w(ctx)
	if err != nil || l == nil {
		return err
	}
	l.From = o.from
	for try := 1; ; try++ {
		err := o.once(ctx, *l)
		var failed *mail.Failure
		if err == nil || try == sendTries || errors.As(err, &failed) && (failed.Setup || failed.Code >= 500 || !failed.Clean) {
			return err
		}
		if o.clock.Sleep(stop, sendPause) != nil {
			return err
		}
	}
}

func (o *outbox) once(ctx context.Context, l letter) error {
	ctx, cancel := context.WithTimeout(ctx, sendPatience)
	defer cancel()
	return o.server.SendLetter(ctx, o.network, l) //nolint:wrapcheck // it says what it did
}
