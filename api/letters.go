package api

import (
	"context"
	"fmt"
	"strings"
)

// letterWords are the installation's own mails in one language. %[1]s is who invites, %[2]s the project, %[3]s the link.
type letterWords struct {
	inviteSubject, inviteProject, inviteAccount string
	resetSubject, reset                         string
	linkedSubject, linked                       string // %[1]s is the service, %[2]s where it is unlinked
}

var letterEnglish = letterWords{
	inviteSubject: "You are invited to Orquestador",
	inviteProject: "Hello,\n\n%[1]s invites you to the project “%[2]s”. This link lets you in; it works once, for 7 days:\n\n%[3]s\n\nIf you do not know what this is about, ignore this mail.\n",
	inviteAccount: "Hello,\n\n%[1]s invites you to Orquestador. This link gives you an account; it works once, for 7 days:\n\n%[3]s\n\nIf you do not know what this is about, ignore this mail.\n",
	resetSubject:  "Another password for Orquestador",
	reset:         "Hello,\n\nsomebody asked for another password for your account. With this link you choose one; it works once, for an hour:\n\n%[3]s\n\nIf it was not you, ignore this mail: your password stays as it is.\n",
	linkedSubject: "Another way to log in to Orquestador",
	linked:        "Hello,\n\nan account at %[1]s was linked to yours: whoever has it can log in as you.\n\nIf it was not you, choose another password, and unlink it in the settings:\n\n%[2]s\n",
}

var letterSpanish = letterWords{
	inviteSubject: "Te han invitado a Orquestador",
	inviteProject: "Hola:\n\n%[1]s te invita al proyecto «%[2]s». Entra con este enlace; sirve una sola vez, durante 7 días:\n\n%[3]s\n\nSi no sabes de qué se trata, ignora este mensaje.\n",
	inviteAccount: "Hola:\n\n%[1]s te invita a Orquestador. Crea tu cuenta con este enlace; sirve una sola vez, durante 7 días:\n\n%[3]s\n\nSi no sabes de qué se trata, ignora este mensaje.\n",
	resetSubject:  "Otra contraseña para Orquestador",
	reset:         "Hola:\n\nalguien ha pedido otra contraseña para tu cuenta. Elígela con este enlace; sirve una sola vez, durante una hora:\n\n%[3]s\n\nSi no has sido tú, ignora este mensaje: tu contraseña sigue como está.\n",
	linkedSubject: "Otra forma de entrar en Orquestador",
	linked:        "Hola:\n\nuna cuenta de %[1]s se ha vinculado con la tuya: quien la tenga puede entrar como tú.\n\nSi no has sido tú, elige otra contraseña y desvincúlala en los ajustes:\n\n%[2]s\n",
}

func letterIn(lang string) letterWords {
	if lang == "es" {
		return letterSpanish
	}
	return letterEnglish
}

// inviting writes an invitation; project is nil for one to the installation alone.
func inviting(lang, to, by string, project *string, link string) writes {
	words := letterIn(lang)
	text, name := words.inviteAccount, ""
	if project != nil {
		text, name = words.inviteProject, oneLine(*project)
	}
	return func(context.Context) (*letter, error) {
		return &letter{To: to, Subject: words.inviteSubject, Text: fmt.Sprintf(text, oneLine(by), name, link)}, nil
	}
}

// resetting writes a mail with a link for another password.
func resetting(lang, to, link string) *letter {
	words := letterIn(lang)
	return &letter{To: to, Subject: words.resetSubject, Text: fmt.Sprintf(words.reset, "", "", link)}
}

// linking tells somebody that their account was linked to one at a service.
func linking(lang, to, service, settings string) writes {
	words := letterIn(lang)
	return func(context.Context) (*letter, error) {
		return &letter{To: to, Subject: words.linkedSubject, Text: fmt.Sprintf(words.linked, oneLine(service), settings)}, nil
	}
}

// oneLine keeps what somebody typed from looking like a part of the mail.
func oneLine(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("://", " ", "www.", "").Replace(text)), " ")
}
