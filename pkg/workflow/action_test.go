package workflow

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// configs is what the configuration of each action is read into.
var configs = map[string]any{
	ActionHTTP: HTTPConfig{}, ActionLog: LogConfig{}, ActionEmail: EmailConfig{}, ActionSlack: SlackConfig{},
	ActionDiscord: DiscordConfig{}, ActionTeams: TeamsConfig{}, ActionTelegram: TelegramConfig{},
}

// The descriptions say the same as the program: they are schemas, with the fields that are read, and their examples can be
// saved.
func TestDescriptionsOfActionsAreTrue(t *testing.T) {
	for _, a := range Actions {
		t.Run(a.Type, func(t *testing.T) {
			if a.Title == "" || a.Description == "" {
				t.Error("title or description is missing")
			}
			config := compileSchema(t, a.Config)
			compileSchema(t, a.Output)
			example, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.Example))
			if err != nil {
				t.Fatal(err)
			}
			if err := config.Validate(example); err != nil {
				t.Errorf("the example does not follow the schema: %v", err)
			}
			if _, err := a.check(a.Example); err != nil {
				t.Errorf("the example is refused: %v", err)
			}
			c, ok := configs[a.Type]
			if !ok {
				t.Fatal("configs lacks it")
			}
			if diff := cmp.Diff(fieldsOf(reflect.TypeOf(c)), slices.Sorted(maps.Keys(config.Properties))); diff != "" {
				t.Errorf("fields that are read (-) and described (+):\n%s", diff)
			}
		})
	}
}

func compileSchema(t *testing.T, raw json.RawMessage) *jsonschema.Schema {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", v); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func fieldsOf(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		if t.Field(i).Anonymous {
			names = append(names, fieldsOf(t.Field(i).Type)...)
			continue
		}
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
