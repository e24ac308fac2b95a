package api

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// maxMessage is how much is kept of what comes with a ping, in bytes.
const maxMessage = 10_000

// ping takes what the job of a heartbeat trigger says: /ping/<id> that it is done, /start, /fail, /log, or its exit code.
func (h *hooks) ping(c echo.Context) error {
	switch c.Request().Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		c.Response().Header().Set("Allow", "GET, HEAD, POST")
		return echo.NewHTTPError(http.StatusMethodNotAllowed, "Use GET or HEAD or POST")
	}
	kind, ok := signalOf(c.Param("signal"))
	if !ok {
		return fault.New(fault.NotFound, "no_such_signal", "Nothing, start, fail, log or an exit code from 0 to 255 may follow the address")
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), hookTimeout)
	defer cancel()
	a, err := h.behind(ctx, c.Param("token"), workflow.TriggerHeartbeat)
	if err != nil {
		return err
	}
	message, err := io.ReadAll(io.LimitReader(c.Request().Body, maxMessage))
	if err != nil {
		return fault.New(fault.Malformed, "body_unreadable", "The body could not be read")
	}
	text := strings.ReplaceAll(strings.ToValidUTF8(string(message), ""), "\x00", "")
	signal := postgres.Signal{TriggerID: a.TriggerID, Kind: kind, Message: text, Address: c.RealIP()}
	if err := h.server.dispatch.Signal(ctx, signal); err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.String(http.StatusOK, "OK")
}

// signalOf reads what follows the address.
func signalOf(text string) (kind string, ok bool) {
	switch text {
	case "":
		return postgres.SignalPing, true
	case postgres.SignalStart, postgres.SignalFail, postgres.SignalLog:
		return text, true
	}
	code, err := strconv.ParseUint(text, 10, 8)
	if err != nil {
		return "", false
	}
	if code == 0 {
		return postgres.SignalPing, true
	}
	return postgres.SignalFail, true
}
