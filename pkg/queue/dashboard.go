package queue

import (
	"net/http"

	"github.com/hibiken/asynq"
	"github.com/hibiken/asynqmon"
)

// shared lends asynqmon our connection instead of pools of its own.
type shared struct{ client *Client }

// MakeRedisClient implements asynq.RedisConnOpt.
func (s shared) MakeRedisClient() any { return s.client.redis }

// Dashboard is asynqmon below root. It has no authentication of its own. It must not be closed: that would close c.
func Dashboard(c *Client, root string, readOnly bool) http.Handler {
	text := func(payload []byte) string { return string(payload) }
	return asynqmon.New(asynqmon.Options{
		RootPath: root, RedisConnOpt: shared{c}, ReadOnly: readOnly,
		PayloadFormatter: asynqmon.PayloadFormatterFunc(func(_ string, payload []byte) string { return text(payload) }),
		ResultFormatter:  asynqmon.ResultFormatterFunc(func(_ string, result []byte) string { return text(result) }),
	})
}

var _ asynq.RedisConnOpt = shared{}
