package queue

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/guildmember145/orquestador-plataforma/pkg/host"
)

// What the workers tell each other about hosts. All keys have one hash tag, so that a script may touch several of them in
// a Redis cluster. A host that is well and has no limits is in none.
const (
	hostStatesKey = "{orq:hosts}:states" // host → failures|closed until|cool-down|probed until|seen at|why, times in ms
	hostChannel   = "orq:hosts"          // something about a host, or about its limits, is different
)

func hostSlotsKey(h string) string  { return "{orq:hosts}:slots:" + h }  // visits by the end of their lease
func hostBucketKey(h string) string { return "{orq:hosts}:bucket:" + h } // tokens|since
func hostTurnKey(h string) string   { return "{orq:hosts}:turn:" + h }   // when the last of those who wait comes back

// Times in the scripts, in milliseconds.
const (
	hostLease    = 20 * time.Second // of a slot whose worker does not renew it
	hostProbe    = 30 * time.Second // after which another call tries, when nothing was heard of the first
	hostMemory   = time.Hour        // a host that nobody calls any more is forgotten
	hostLongest  = time.Minute      // no wait for a turn is longer
	hostMaxClose = time.Hour        // no host closes itself for longer
)

// hostLua is what the scripts share: the time, and reading and writing a state.
const hostLua = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function read(host)
  local v = redis.call('HGET', KEYS[1], host)
  if not v then return nil end
  local f, u, c, p, s, w = string.match(v, '^(%d+)|(%d+)|(%d+)|(%d+)|(%d+)|(.*)$')
  if not f then return nil end
  return {f = tonumber(f), u = tonumber(u), c = tonumber(c), p = tonumber(p), s = tonumber(s), w = w}
end
local function write(host, s)
  redis.call('HSET', KEYS[1], host, string.format('%d|%d|%d|%d|%d|%s', s.f, s.u, s.c, s.p, now, s.w))
end
local function fresh() return {f = 0, u = 0, c = 0, p = 0, s = now, w = ''} end
`

// hostEnter lets a call through and counts it, or says how long to wait. Those who wait get turns one after the other, so
// that they do not all come back at once: at the host's own pace, and where only the number of calls is limited, at fifty
// per second and place, half a second from now at the earliest, so that no worker waits with them.
var hostEnter = redis.NewScript(hostLua + `
local host, visit = ARGV[1], ARGV[2]
local max, rate, burst = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local threshold, lease, probe, longest = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local function turn(base, step)
  local last = tonumber(redis.call('GET', KEYS[4]) or '0')
  local mine = math.min(math.max(last, now + base) + step, now + longest)
  redis.call('SET', KEYS[4], string.format('%d', math.floor(mine)), 'PX', longest * 2)
  return math.floor(mine - now)
end
local s = read(host)
if s and s.u > now then return {'closed', s.u - now, s.w} end
local probing = s and threshold > 0 and s.f >= threshold
if probing and s.p > now then return {'probed', turn(1000, 20), s.w} end
if max > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  if redis.call('ZCARD', KEYS[2]) >= max then return {'full', turn(500, math.max(1, math.floor(20 / max))), ''} end
end
if rate > 0 then
  local tokens, since = burst, now
  local v = redis.call('GET', KEYS[3])
  if v then
    local a, b = string.match(v, '^([%d.]+)|(%d+)$')
    if a then
      since = tonumber(b)
      tokens = math.min(burst, tonumber(a) + math.max(now - since, 0) * rate / 1000)
    end
  end
  if tokens < 1 then return {'paced', turn(math.ceil((1 - tokens) * 1000 / rate), 1000 / rate), ''} end
  local full = math.ceil(burst * 1000 / rate) + 1000
  redis.call('SET', KEYS[3], string.format('%.6f|%d', tokens - 1, now), 'PX', full)
end
if max > 0 then
  redis.call('ZADD', KEYS[2], now + lease, visit)
  redis.call('PEXPIRE', KEYS[2], lease)
end
if probing then s.p = now + probe; write(host, s) end
return {'', 0, ''}
`)

// hostFail counts a failed call, and closes the host when that was one too many.
var hostFail = redis.NewScript(hostLua + `
local host, threshold, cooldown, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local s = read(host) or fresh()
s.f = s.f + 1
if s.u <= now then
  s.w = ARGV[5]
  if s.f >= threshold then
    s.c = s.c == 0 and cooldown or math.min(s.c * 2, limit)
    s.u, s.p = now + s.c, 0
    s.w = string.format('circuit open after %d failures in a row: %s', s.f, ARGV[5])
    redis.call('PUBLISH', ARGV[6], host)
  end
end
write(host, s)
return {s.f, math.max(s.u - now, 0), s.w}
`)

// hostClose closes a host that asked for it.
var hostClose = redis.NewScript(hostLua + `
local s = read(ARGV[1]) or fresh()
s.u, s.w = math.max(s.u, now + tonumber(ARGV[2])), ARGV[3]
write(ARGV[1], s)
redis.call('PUBLISH', ARGV[4], ARGV[1])
return {s.f, s.u - now, s.w}
`)

// hostWell forgets the failures of a host that has answered. One that is closed stays so until its time has come: the
// answer is to a call from before.
var hostWell = redis.NewScript(hostLua + `
local s = read(ARGV[1])
if s and s.u <= now then
  redis.call('HDEL', KEYS[1], ARGV[1])
  if s.c > 0 then redis.call('PUBLISH', ARGV[2], ARGV[1]) end
end
return 0
`)

// hostList answers all states, and forgets the old ones.
var hostList = redis.NewScript(hostLua + `
local all, out = redis.call('HKEYS', KEYS[1]), {}
for _, host in ipairs(all) do
  local s = read(host)
  if not s or s.u <= now and s.s < now - tonumber(ARGV[1]) then
    redis.call('HDEL', KEYS[1], host)
  else
    table.insert(out, {host, s.f, math.max(s.u - now, 0), s.w})
  end
end
return out
`)

// EnterHost asks for a place at a host within limits and breaker; visit is the caller's name for it. A refusal says how
// long to wait. LeaveHost gives the place back; RenewHosts keeps it.
func (c *Client) EnterHost(ctx context.Context, h, visit string, l host.Limits, b host.Breaker) (*host.Refusal, error) {
	answer, err := c.runHost(ctx, hostEnter, []string{hostStatesKey, hostSlotsKey(h), hostBucketKey(h), hostTurnKey(h)},
		h, visit, l.MaxConcurrent, strconv.FormatFloat(l.PerSecond, 'f', -1, 64), max(l.Burst, 1), b.Failures,
		hostLease.Milliseconds(), hostProbe.Milliseconds(), hostLongest.Milliseconds())
	if err != nil {
		return nil, fmt.Errorf("enter a host: %w", err)
	}
	kind, wait, why := text(answer, 0), number(answer, 1), text(answer, 2)
	if kind == "" {
		return nil, nil
	}
	return &host.Refusal{Kind: kind, Wait: time.Duration(wait) * time.Millisecond, Why: why}, nil
}

// LeaveHost gives a place back.
func (c *Client) LeaveHost(ctx context.Context, h, visit string) error {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	if err := c.redis.ZRem(ctx, hostSlotsKey(h), visit).Err(); err != nil {
		return fmt.Errorf("leave a host: %w", err)
	}
	return nil
}

// RenewHosts keeps places, given as visit → host. It does not bring back one whose lease has ended.
func (c *Client) RenewHosts(ctx context.Context, visits map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	now, err := c.redis.Time(ctx).Result()
	if err != nil {
		return fmt.Errorf("ask Redis for the time: %w", err)
	}
	end := float64(now.Add(hostLease).UnixMilli())
	pipe := c.redis.Pipeline()
	for visit, h := range visits {
		pipe.ZAddXX(ctx, hostSlotsKey(h), redis.Z{Score: end, Member: visit})
		pipe.PExpire(ctx, hostSlotsKey(h), hostLease)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("renew places at hosts: %w", err)
	}
	return nil
}

// FailHost counts a call that failed, and answers what is known of the host then.
func (c *Client) FailHost(ctx context.Context, h, why string, b host.Breaker) (host.State, error) {
	answer, err := c.runHost(ctx, hostFail, []string{hostStatesKey}, h, b.Failures, b.Cooldown.Milliseconds(),
		b.Limit.Milliseconds(), oneLine(why), hostChannel)
	if err != nil {
		return host.State{}, fmt.Errorf("count a host's failure: %w", err)
	}
	return hostState(h, answer), nil
}

// CloseHost closes a host for as long as it asked, an hour at most.
func (c *Client) CloseHost(ctx context.Context, h string, d time.Duration, why string) (host.State, error) {
	answer, err := c.runHost(ctx, hostClose, []string{hostStatesKey}, h, min(d, hostMaxClose).Milliseconds(), oneLine(why), hostChannel)
	if err != nil {
		return host.State{}, fmt.Errorf("close a host: %w", err)
	}
	return hostState(h, answer), nil
}

// HostIsWell forgets the failures of a host, unless it is closed.
func (c *Client) HostIsWell(ctx context.Context, h string) error {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	if err := hostWell.Run(ctx, c.redis, []string{hostStatesKey}, h, hostChannel).Err(); err != nil {
		return fmt.Errorf("forget a host's failures: %w", err)
	}
	return nil
}

// OpenHost forgets everything about a host: a person says that it is well.
func (c *Client) OpenHost(ctx context.Context, h string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout)
	defer cancel()
	pipe := c.redis.TxPipeline()
	pipe.HDel(ctx, hostStatesKey, h)
	pipe.Del(ctx, hostTurnKey(h), hostBucketKey(h))
	pipe.Publish(ctx, hostChannel, h)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("open a host: %w", err)
	}
	return nil
}

// Hosts answers what is known of the hosts that are not well.
func (c *Client) Hosts(ctx context.Context) ([]host.State, error) {
	answer, err := c.runHost(ctx, hostList, []string{hostStatesKey}, hostMemory.Milliseconds())
	if err != nil {
		return nil, fmt.Errorf("list hosts: %w", err)
	}
	states := make([]host.State, 0, len(answer))
	for _, row := range answer {
		if fields, ok := row.([]any); ok {
			states = append(states, hostState(text(fields, 0), fields[1:]))
		}
	}
	return states, nil
}

// TellHosts says that the limits of a host were changed.
func (c *Client) TellHosts(ctx context.Context, h string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout)
	defer cancel()
	if err := c.redis.Publish(ctx, hostChannel, h).Err(); err != nil {
		c.log.DebugContext(ctx, "change of a host not announced", "error", err)
	}
}

// HostChanges tells when something about hosts is different, until ctx ends. changed must not block.
func (c *Client) HostChanges(ctx context.Context, changed func()) {
	c.listen(ctx, hostChannel, func(string) { changed() })
}

func (c *Client) runHost(ctx context.Context, script *redis.Script, keys []string, args ...any) ([]any, error) {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	return script.Run(ctx, c.redis, keys, args...).Slice()
}

func hostState(h string, fields []any) host.State {
	return host.State{
		Host: h, Failures: int(number(fields, 0)), ClosedFor: time.Duration(number(fields, 1)) * time.Millisecond, Why: text(fields, 2),
	}
}

// oneLine keeps a message from being longer than a list of hosts can show.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}

func text(fields []any, i int) string {
	if i >= len(fields) {
		return ""
	}
	s, _ := fields[i].(string)
	return s
}

func number(fields []any, i int) int64 {
	if i >= len(fields) {
		return 0
	}
	n, _ := fields[i].(int64)
	return n
}
