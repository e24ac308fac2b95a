package sso

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"golang.org/x/oauth2"
)

// gitHub speaks GitHub's OAuth, which has no ID tokens: who somebody is is asked for over its API.
type gitHub struct{ at string }

const (
	gitHubHome = "https://github.com"
	gitHubAPI  = "https://api.github.com"
)

// endpoint implements protocol.
func (g gitHub) endpoint(context.Context) (oauth2.Endpoint, []string, error) {
	return oauth2.Endpoint{
		AuthURL: g.at + "/login/oauth/authorize", TokenURL: g.at + "/login/oauth/access_token", AuthStyle: oauth2.AuthStyleInParams,
	}, []string{"read:user", "user:email"}, nil
}

// checkIssuer implements protocol: GitHub does not say that it answers, or names its own address.
func (g gitHub) checkIssuer(_ context.Context, said string) error {
	if said == "" || said == g.at || said == g.at+"/login/oauth" {
		return nil
	}
	return fmt.Errorf("the answer is of the issuer %.200q, not of %q", said, g.at)
}

// who implements protocol. The number is the identity: names on GitHub are given up, and taken by others.
func (g gitHub) who(ctx context.Context, token *oauth2.Token, _ string) (Identity, error) {
	var user struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
	}
	if err := g.ask(ctx, token, "/user", &user); err != nil {
		return Identity{}, err
	}
	if user.ID <= 0 {
		return Identity{}, errors.New("it told no id")
	}
	var emails []struct {
		Email    string `json:"email"`
		Primary  bool   `json:"primary"`
		Verified bool   `json:"verified"`
	}
	if err := g.ask(ctx, token, "/user/emails", &emails); err != nil {
		return Identity{}, err
	}
	who := Identity{Subject: strconv.FormatInt(user.ID, 10), Name: user.Login}
	for _, e := range emails {
		if e.Primary {
			who.Email, who.Verified = e.Email, e.Verified
		}
	}
	return who, nil
}

// ask makes a call to GitHub's API.
func (g gitHub) ask(ctx context.Context, token *oauth2.Token, path string, answer any) error {
	api := g.at + "/api/v3" // of a GitHub Enterprise Server
	if g.at == gitHubHome {
		api = gitHubAPI
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, api+path, nil)
	if err != nil {
		return fmt.Errorf("ask for %s: %w", path, err)
	}
	request.Header.Set("Accept", "application/vnd.github+json")
	token.SetAuthHeader(request)
	client, _ := ctx.Value(oauth2.HTTPClient).(*http.Client)
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask for %s: %w", path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return fmt.Errorf("ask for %s: %w", path, err)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("ask for %s: it answered %s", path, response.Status)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
