package auth

import "strings"

// roots are words on which most of the much-used passwords of ten characters or more are built: the word itself, twice,
// or followed by digits and signs. They stand on top of the lists of leaked passwords that are published each year.
var roots = []string{
	"password", "passw0rd", "p@ssword", "p@ssw0rd", "contraseña", "contrasena", "qwerty", "qwertyuiop", "asdfghjkl",
	"zxcvbnm", "iloveyou", "letmein", "welcome", "administrator", "administrador", "admin", "changeme", "secret", "football",
	"baseball", "princess", "princesa", "sunshine", "superman", "trustno1", "starwars", "whatever", "computer", "internet",
	"michelle", "orquestador", "1q2w3e4r5t", "1qaz2wsx", "q1w2e3r4t5", "abc123", "abcd1234", "1234567890", "123456789",
	"0123456789", "0987654321", "9876543210",
}

// common tells whether a password in lower case is a much-used one: nothing is left of it once its root, and the digits
// and signs that people add, are taken away.
func common(lower string) bool {
	const added = "0123456789!@#$%&*._-?"
	for _, root := range roots {
		rest, found := strings.CutPrefix(lower, root)
		for found && rest != "" {
			if rest, found = strings.CutPrefix(rest, root); !found {
				break
			}
		}
		if strings.HasPrefix(lower, root) && strings.Trim(rest, added) == "" {
			return true
		}
	}
	return strings.Trim(lower, "0123456789") == "" && strings.Contains("01234567890123456789 98765432109876543210", lower)
}
