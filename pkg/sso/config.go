package sso

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
)

// Config says which services are asked. One whose client id is not set is not.
type Config struct {
	GoogleClientID     string           `name:"google-client-id" env:"ORQ_GOOGLE_CLIENT_ID" help:"Let people log in with Google: the client's id."`
	GoogleClientSecret telemetry.Secret `name:"google-client-secret" env:"ORQ_GOOGLE_CLIENT_SECRET" help:"The secret of Google's client."`
	GitHubClientID     string           `name:"github-client-id" env:"ORQ_GITHUB_CLIENT_ID" help:"Let people log in with GitHub: the OAuth app's client id."`
	GitHubClientSecret telemetry.Secret `name:"github-client-secret" env:"ORQ_GITHUB_CLIENT_SECRET" help:"The secret of GitHub's OAuth app."`
	GitHubURL          string           `name:"github-url" default:"https://github.com" env:"ORQ_GITHUB_URL" help:"Where GitHub is, for a GitHub Enterprise Server of your own."`
	OIDCIssuer         string           `name:"oidc-issuer" env:"ORQ_OIDC_ISSUER" help:"Let people log in with an OpenID Connect issuer, as in https://id.example.com/realms/main."`
	OIDCClientID       string           `name:"oidc-client-id" env:"ORQ_OIDC_CLIENT_ID" help:"The client's id at that issuer."`
	OIDCClientSecret   telemetry.Secret `name:"oidc-client-secret" env:"ORQ_OIDC_CLIENT_SECRET" help:"The client's secret at that issuer."`
	OIDCName           string           `name:"oidc-name" default:"SSO" env:"ORQ_OIDC_NAME" help:"What the button for that issuer says, as in Example Ltd."`
	OIDCScopes         []string         `name:"oidc-scopes" default:"openid,email,profile" env:"ORQ_OIDC_SCOPES" help:"What that issuer is asked for."`
	OIDCTrustEmail     bool             `name:"oidc-trust-email" env:"ORQ_OIDC_TRUST_EMAIL" help:"Believe that issuer's e-mail addresses where it does not say that it verified them, as Microsoft Entra ID does not."`
}

// google is Google's issuer.
const google = "https://accounts.google.com"

// Any tells whether a service is set.
func (c Config) Any() bool {
	return c.GoogleClientID != "" || c.GitHubClientID != "" || c.OIDCIssuer != "" || c.OIDCClientID != ""
}

// Check tells everything that is wrong with the settings.
func (c Config) Check() error {
	var errs []error
	whole := func(what string, id string, secret telemetry.Secret) {
		if (id == "") != (secret == "") {
			errs = append(errs, fmt.Errorf("ORQ_%[1]s_CLIENT_ID and ORQ_%[1]s_CLIENT_SECRET must be set both, or neither", what))
		}
	}
	whole("GOOGLE", c.GoogleClientID, c.GoogleClientSecret)
	whole("GITHUB", c.GitHubClientID, c.GitHubClientSecret)
	whole("OIDC", c.OIDCClientID, c.OIDCClientSecret)
	if (c.OIDCIssuer == "") != (c.OIDCClientID == "") {
		errs = append(errs, errors.New("ORQ_OIDC_ISSUER and ORQ_OIDC_CLIENT_ID must be set both, or neither"))
	}
	if err := address("ORQ_OIDC_ISSUER", c.OIDCIssuer); c.OIDCIssuer != "" && err != nil {
		errs = append(errs, err)
	}
	if strings.TrimRight(c.OIDCIssuer, "/") == google && c.GoogleClientID != "" {
		errs = append(errs, errors.New("ORQ_OIDC_ISSUER is Google, which ORQ_GOOGLE_CLIENT_ID is for; set one of them"))
	}
	if c.GitHubClientID != "" && strings.TrimRight(c.GitHubURL, "/") == c.OIDCIssuer {
		errs = append(errs, errors.New("ORQ_OIDC_ISSUER is ORQ_GITHUB_URL: the same people would come by two ways, and be taken for each other"))
	}
	if err := address("ORQ_GITHUB_URL", c.GitHubURL); c.GitHubClientID != "" && err != nil {
		errs = append(errs, err)
	}
	if name := strings.TrimSpace(c.OIDCName); c.OIDCIssuer != "" && (name == "" || len([]rune(name)) > maxName) {
		errs = append(errs, fmt.Errorf("ORQ_OIDC_NAME must have from 1 to %d characters", maxName))
	}
	return errors.Join(errs...)
}

// maxName is the length of what a button says, in characters.
const maxName = 40

// address checks where a service is. Without TLS anybody on the way could be the service, so that plain HTTP is for this
// machine only.
func address(setting, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s must be an address such as https://id.example.com", setting)
	}
	ip := net.ParseIP(u.Hostname())
	here := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && here) {
		return fmt.Errorf("%s must begin with https://", setting)
	}
	return nil
}

// Hosts are the services' host:port that the administrator has named, and which may be called therefore, wherever they are.
// What a service's own documents lead to may not be inside.
func (c Config) Hosts() (hosts []string) {
	for _, raw := range []string{c.OIDCIssuer, c.GitHubURL} {
		u, err := url.Parse(raw)
		if err != nil || u.Hostname() == "" {
			continue
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		hosts = append(hosts, net.JoinHostPort(u.Hostname(), port))
	}
	return hosts
}
