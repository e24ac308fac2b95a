package mail_test

import (
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/mail"
)

// A mail server's URL is read or refused, and what says why does not hold the password.
func FuzzParseServer(f *testing.F) {
	for _, seed := range []string{
		"smtp://user:password@mail.example.com:587", "smtps://h", "smtp://localhost:25?encryption=none", "http://h", "smtp://", "smtp://h:0", "smtp://h:99999",
		"smtp://u:p@h/path", "smtp://u:p@h?encryption=none", "smtp://[::1]:25", "smtp://h\r\n", "smtp://%zz@h", ":",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		s, err := mail.ParseServer(raw)
		switch {
		case err == nil && (s.Host == "" || s.Port < 1 || s.Port > 65535):
			t.Errorf("%q is %s:%d", raw, s.Host, s.Port)
		case err == nil && s.Encryption == mail.None && s.Password != "":
			t.Errorf("%q sends the password as it is", raw)
		case err != nil && len(s.Password) > 8 && strings.Contains(err.Error(), s.Password):
			t.Errorf("%q: the error holds the password: %v", raw, err)
		}
	})
}
