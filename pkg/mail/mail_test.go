package mail_test

import (
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/mail"
)

func TestServersAsURLs(t *testing.T) {
	for raw, want := range map[string]mail.Server{
		"smtp://mail.example.com":                 {Host: "mail.example.com", Port: 587, Encryption: mail.StartTLS},
		"smtp://ana:p%40ss@mail.example.com:2525": {Host: "mail.example.com", Port: 2525, Encryption: mail.StartTLS, Username: "ana", Password: "p@ss"},
		"smtps://ana:secret@mail.example.com":     {Host: "mail.example.com", Port: 465, Encryption: mail.TLS, Username: "ana", Password: "secret"},
		"smtp://localhost:25?encryption=none":     {Host: "localhost", Port: 25, Encryption: mail.None},
		"smtp://[::1]:25/?encryption=none":        {Host: "::1", Port: 25, Encryption: mail.None},
	} {
		if got, err := mail.ParseServer(raw); err != nil || got != want {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{
		"", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://mail.example.com/box", "smtp://mail.example.com:0",
		"smtp://mail.example.com:70000", "smtp://a:secret@localhost?encryption=none", "smtps://localhost?encryption=none",
		"smtp://localhost?encryption=maybe", "smtp://a:secret@mail example.com",
	} {
		if got, err := mail.ParseServer(raw); err == nil {
			t.Errorf("%s was read as %+v", raw, got)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error holds the password: %v", err)
		}
	}
}
