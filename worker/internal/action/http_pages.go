package action

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/host"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// maxItems is how much of the items of all pages is kept, as JSON, in bytes; the rest of an output is the headers.
const maxItems = 200 << 10

// httpPages says how the answers that follow the first are found.
type httpPages struct {
	next, collect *expr.Template
	most          int
}

// preparePages reads how pages follow each other; nil when there is one.
func preparePages(p *workflow.HTTPPages) (*httpPages, error) {
	if p == nil {
		return nil, nil
	}
	pages := &httpPages{most: p.MaxPages}
	if pages.most == 0 {
		pages.most = workflow.DefaultPages
	}
	var err error
	if pages.next, err = expr.ParseExpression(p.Next, workflow.PageNames...); err != nil {
		return nil, fmt.Errorf("next: %w", err)
	}
	if pages.collect, err = expr.ParseExpression(p.Collect, workflow.PageNames...); err != nil {
		return nil, fmt.Errorf("collect: %w", err)
	}
	return pages, nil
}

// sendPages makes the request, and those for the pages that follow. Its output is the last answer's, with the items of all
// pages as the body.
func (r *httpRunner) sendPages(ctx context.Context, call Call, req egress.Request) Result {
	items, size := []any{}, 0
	for page := 1; ; page++ {
		result := r.send(ctx, call, req)
		output, ok := result.Output.(map[string]any)
		if result.Failure != nil || !ok {
			if result.Failure != nil && page > 1 {
				result.Failure.Message = fmt.Sprintf("page %d: %s", page, result.Failure.Message)
			}
			return result
		}
		next, found, err := r.pages.read(ctx, call.Env, output, page, req.URL)
		if err != nil {
			return Result{Output: output, Failure: &Failure{Class: run.FailureBody, Message: fmt.Sprintf("page %d: %s", page, err)}}
		}
		for _, item := range found {
			raw, err := json.Marshal(item)
			if size += len(raw) + 1; err != nil || size > maxItems {
				output["truncated"], next = true, ""
				break
			}
			items = append(items, item)
		}
		output["body"], output["pages"] = items, page
		if next != "" && page == r.pages.most {
			output["truncated"], next = true, ""
		}
		if next == "" {
			return Result{Output: output}
		}
		if call.Again != nil {
			if err := call.Again(ctx); err != nil {
				return failed(run.FailureTimeout, "the host took no call for page %d within the step's timeout", page+1)
			}
		}
		req.URL = next
	}
}

// read evaluates where the next page is, empty after the last, and what is on this one.
func (p *httpPages) read(ctx context.Context, env expr.Env, output map[string]any, page int, at string) (next string, items []any, err error) {
	seen := maps.Clone(env)
	maps.Copy(seen, output)
	link, _ := output["headers"].(map[string]any)["link"].(string)
	seen["next_link"], seen["page"] = nil, page
	if target := nextLink(link); target != "" {
		seen["next_link"] = target
	}
	v, err := p.collect.Eval(ctx, seen)
	if err != nil {
		return "", nil, fmt.Errorf("collect: %w", err)
	}
	items, ok := v.([]any)
	if !ok && v != nil {
		return "", nil, fmt.Errorf("collect gives no list of items")
	}
	if v, err = p.next.Eval(ctx, seen); err != nil {
		return "", nil, fmt.Errorf("next: %w", err)
	}
	target, ok := v.(string)
	if v == nil || target == "" && ok {
		return "", items, nil
	}
	if !ok {
		return "", nil, fmt.Errorf("next gives no URL")
	}
	next, err = follow(at, target)
	return next, items, err
}

// follow resolves the URL of the next page. It has to be on the same host: what the request carries is meant for that one.
func follow(at, target string) (string, error) {
	base, err := url.Parse(at)
	if err != nil {
		return "", fmt.Errorf("this is not a URL: %s", at)
	}
	u, err := base.Parse(target)
	if err != nil {
		return "", fmt.Errorf("next gives what is no URL: %s", target)
	}
	if u.Scheme != base.Scheme || host.KeyOf(u.String()) != host.KeyOf(at) {
		return "", fmt.Errorf("the next page is on another host, %s", u.Host)
	}
	return u.String(), nil
}

// nextLink is the URL that a header Link (RFC 8288) calls the next; empty when there is none.
func nextLink(header string) string {
	for rest := header; ; {
		_, after, found := strings.Cut(rest, "<")
		if !found {
			return ""
		}
		target, after, found := strings.Cut(after, ">")
		if !found {
			return ""
		}
		params, _, _ := strings.Cut(after, "<")
		rest = after
		for _, p := range strings.FieldsFunc(params, func(r rune) bool { return r == ';' || r == ',' }) {
			name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
			if strings.EqualFold(strings.TrimSpace(name), "rel") && strings.EqualFold(strings.Trim(strings.TrimSpace(value), `"`), "next") {
				return target
			}
		}
	}
}
