package httpx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
)

// JSON reads requests and writes answers for echo. Numbers in values without a type (inputs, configurations) keep their
// text on the way through: as float64, ids above 2^53 would change.
type JSON struct{}

// Serialize implements echo.JSONSerializer.
func (JSON) Serialize(c echo.Context, v any, indent string) error {
	encoder := json.NewEncoder(c.Response())
	encoder.SetIndent("", indent)
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// Deserialize implements echo.JSONSerializer. The contract has been checked; what fails here fits it and still is no
// value of its type.
func (JSON) Deserialize(c echo.Context, v any) error {
	decoder := json.NewDecoder(c.Request().Body)
	decoder.UseNumber()
	if err := decoder.Decode(v); err != nil {
		return echo.NewHTTPError(http.StatusUnprocessableEntity, "A value in the body is not of the type that it should be").SetInternal(err)
	}
	return nil
}

// DecodeJSON is json.Unmarshal that keeps numbers as they are written where v has no type for them.
func DecodeJSON(raw []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(v); err != nil {
		return fmt.Errorf("decode JSON: %w", err)
	}
	return nil
}
