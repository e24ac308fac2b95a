package api

import (
	"context"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// ListChannelTypes implements the contract.
func (*server) ListChannelTypes(context.Context, oas.ListChannelTypesRequestObject) (oas.ListChannelTypesResponseObject, error) {
	list := oas.ListChannelTypes200JSONResponse{}
	for _, t := range alert.Types() {
		list.Items = append(list.Items, oas.ChannelType{Type: t.Type, Title: t.Title, Description: t.Description, Config: t.Config, Example: t.Example})
	}
	return list, nil
}

// ListChannels implements the contract.
func (s *server) ListChannels(ctx context.Context, req oas.ListChannelsRequestObject) (oas.ListChannelsResponseObject, error) {
	before, err := idCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	where, err := projects(ctx, account.AlertRead, req.Params.ProjectId)
	if err != nil {
		return nil, err
	}
	rows, err := postgres.AlertChannels{Q: s.db}.List(ctx, where, before, limit+1)
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.ChannelRow) *string { return encodeCursor(r.ID.String()) })
	page := oas.ListChannels200JSONResponse{Items: make([]oas.Channel, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		page.Items[i] = channelOf(r)
	}
	return page, nil
}

// CreateChannel implements the contract.
func (s *server) CreateChannel(ctx context.Context, req oas.CreateChannelRequestObject) (oas.CreateChannelResponseObject, error) {
	project, err := projectOr(httpx.Principal(ctx), req.Body.ProjectId)
	if err != nil {
		return nil, err
	}
	row, err := s.dispatch.CreateChannel(ctx, httpx.Principal(ctx), project, channelIn(*req.Body))
	if err != nil {
		return nil, err
	}
	location := httpx.Prefix + "/alert-channels/" + row.ID.String()
	return oas.CreateChannel201JSONResponse{Body: channelOf(row), Headers: oas.CreateChannel201ResponseHeaders{Location: &location}}, nil
}

// GetChannel implements the contract.
func (s *server) GetChannel(ctx context.Context, req oas.GetChannelRequestObject) (oas.GetChannelResponseObject, error) {
	row, err := postgres.AlertChannels{Q: s.db}.Get(ctx, httpx.Principal(ctx).Where(account.AlertRead), req.Id)
	return oas.GetChannel200JSONResponse(channelOf(row)), err
}

// ReplaceChannel implements the contract.
func (s *server) ReplaceChannel(ctx context.Context, req oas.ReplaceChannelRequestObject) (oas.ReplaceChannelResponseObject, error) {
	row, err := s.dispatch.ReplaceChannel(ctx, httpx.Principal(ctx), req.Id, channelIn(*req.Body))
	return oas.ReplaceChannel200JSONResponse(channelOf(row)), err
}

// DeleteChannel implements the contract.
func (s *server) DeleteChannel(ctx context.Context, req oas.DeleteChannelRequestObject) (oas.DeleteChannelResponseObject, error) {
	return oas.DeleteChannel204Response{}, s.dispatch.DeleteChannel(ctx, httpx.Principal(ctx), req.Id)
}

// TestChannel implements the contract.
func (s *server) TestChannel(ctx context.Context, req oas.TestChannelRequestObject) (oas.TestChannelResponseObject, error) {
	language := alert.Languages[0]
	if req.Body.Language != nil {
		language = string(*req.Body.Language)
	}
	id, err := s.dispatch.TestChannel(ctx, httpx.Principal(ctx), req.Id, language)
	if err != nil {
		return nil, err
	}
	a, err := s.oneAlert(ctx, id)
	location := httpx.Prefix + "/alerts/" + id.String()
	return oas.TestChannel202JSONResponse{Body: a, Headers: oas.TestChannel202ResponseHeaders{Location: &location}}, err
}

func channelIn(b oas.ChannelInput) alert.Channel {
	return alert.Channel{Name: b.Name, Action: b.Action, Config: b.Config}
}

func channelOf(r postgres.ChannelRow) oas.Channel {
	return oas.Channel{
		Id: r.ID, ProjectId: r.ProjectID, Name: r.Name, Action: r.Action, Config: r.Config, CreatedAt: wire.At(r.CreatedAt), UpdatedAt: wire.At(r.UpdatedAt),
	}
}
