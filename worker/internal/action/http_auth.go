package action

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// httpAuth says who makes a request.
type httpAuth struct {
	workflow.HTTPAuth
	username, secret *expr.Template
}

// prepareAuth reads how requests say who makes them; nil when they do not.
func prepareAuth(a *workflow.HTTPAuth) (*httpAuth, error) {
	if a == nil {
		return nil, nil
	}
	h := &httpAuth{HTTPAuth: *a}
	var err error
	if h.username, err = expr.ParseTemplate(a.Username); err != nil {
		return nil, fmt.Errorf("username: %w", err)
	}
	if h.secret, err = expr.ParseTemplate(a.Token + a.Password + a.Value); err != nil { // one of them is there
		return nil, fmt.Errorf("secret: %w", err)
	}
	return h, nil
}

// apply adds what it is to a request's query and headers.
func (h *httpAuth) apply(ctx context.Context, env expr.Env, query map[string]string, header http.Header) error {
	if h == nil {
		return nil
	}
	secret, err := evalText(ctx, h.secret, env)
	if err != nil {
		return err
	}
	if secret == "" {
		return fmt.Errorf("its secret is empty")
	}
	switch {
	case h.Type == workflow.AuthBearer:
		header.Set("Authorization", "Bearer "+secret)
	case h.Type == workflow.AuthBasic:
		user, err := evalText(ctx, h.username, env)
		if err != nil {
			return err
		}
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+secret)))
	case h.Query != "":
		query[h.Query] = secret
	default:
		header.Set(h.Header, secret)
	}
	return nil
}
