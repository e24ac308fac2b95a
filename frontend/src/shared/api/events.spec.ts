// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EventHub, parseEvent, type HubEnvironment, type LiveEvent } from './events'

class FakeSource extends EventTarget {
  readyState = 0
  closed = false
  readonly url: string
  constructor(url: string) {
    super()
    this.url = url
  }
  close() {
    this.closed = true
    this.readyState = 2
  }
  opens() {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }
  fails(readyState: number) {
    this.readyState = readyState
    this.dispatchEvent(new Event('error'))
  }
  says(type: string, data: unknown) {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data) }))
  }
}

/** A browser with tabs: one bus, one lock, all streams in a list. */
class FakeBrowser {
  readonly sources: FakeSource[] = []
  private readonly listeners: ((message: MessageEvent) => void)[] = []
  private readonly waiting: (() => void)[] = []
  private led = false

  tab(): EventHub {
    const own: ((message: MessageEvent) => void)[] = []
    const environment: HubEnvironment = {
      open: (url) => {
        const source = new FakeSource(url)
        this.sources.push(source)
        return source as unknown as EventSource
      },
      channel: {
        postMessage: (data: unknown) => {
          for (const listener of this.listeners)
            if (!own.includes(listener)) listener(new MessageEvent('message', { data }))
        },
        addEventListener: ((_: string, listener: (message: MessageEvent) => void) => {
          own.push(listener)
          this.listeners.push(listener)
        }) as BroadcastChannel['addEventListener'],
      },
      elect: (lead) => {
        if (this.led) this.waiting.push(lead)
        else {
          this.led = true
          lead()
        }
      },
      now: () => Date.now(),
    }
    return new EventHub(environment)
  }

  /** The leading tab is closed: the next in line gets the lock. */
  leaderGone() {
    this.listeners.shift()
    this.waiting.shift()?.()
  }

  get open(): FakeSource[] {
    return this.sources.filter((source) => !source.closed)
  }
}

const topicsOf = (source: FakeSource | undefined) =>
  new URL(source?.url ?? '', 'http://x').searchParams.get('topics')?.split(',')
const settle = () => vi.advanceTimersByTime(100)

describe('EventHub', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('EventSource', { CONNECTING: 0, OPEN: 1, CLOSED: 2 })
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('opens one stream for all that is wanted, and none when nothing is', () => {
    const browser = new FakeBrowser()
    const hub = browser.tab()
    const off = hub.subscribe(['runs'], () => undefined)
    hub.subscribe(['run:1', 'runs'], () => undefined)
    settle()
    expect(browser.open).toHaveLength(1)
    expect(topicsOf(browser.open[0])).toEqual(['run:1', 'runs'])
    off()
    settle()
    expect(browser.sources).toHaveLength(1) // the other subscription still wants the same
    hub.stop()
    settle()
    expect(browser.open).toHaveLength(0)
    expect(hub.state.value).toBe('off')
  })

  it('keeps the old stream until the new one speaks', () => {
    const browser = new FakeBrowser()
    const hub = browser.tab()
    hub.subscribe(['runs'], () => undefined)
    settle()
    browser.sources[0]?.opens()
    expect(hub.state.value).toBe('live')
    hub.subscribe(['run:1'], () => undefined)
    settle()
    expect(browser.open).toHaveLength(2)
    browser.sources[1]?.opens()
    expect(browser.open).toEqual([browser.sources[1]])
  })

  it('shares the leader’s stream with the other tabs', () => {
    const browser = new FakeBrowser()
    const leader = browser.tab()
    const follower = browser.tab()
    const seen: LiveEvent[] = []
    leader.subscribe(['runs'], () => undefined)
    follower.subscribe(['run:7'], (event) => seen.push(event))
    settle()
    expect(browser.open).toHaveLength(1)
    expect(topicsOf(browser.open[0])).toEqual(['run:7', 'runs'])
    browser.open[0]?.opens()
    browser.open[0]?.says('run', { id: '7', status: 'running' })
    expect(seen).toEqual([{ type: 'run', data: { id: '7', status: 'running' } }])
    expect(follower.state.value).toBe('live')
  })

  it('lets another tab lead when the leader is closed, and tells it to ask again', () => {
    const browser = new FakeBrowser()
    const leader = browser.tab()
    const follower = browser.tab()
    const seen: LiveEvent[] = []
    leader.subscribe(['workflow:1'], () => undefined)
    follower.subscribe(['runs'], (event) => seen.push(event))
    settle()
    browser.leaderGone()
    settle()
    expect(topicsOf(browser.sources.at(-1))).toEqual(['runs'])
    expect(seen).toEqual([])
    browser.sources.at(-1)?.opens()
    expect(seen).toEqual([{ type: 'resync', topics: ['runs'] }])
  })

  it('has those ask again whose topics begin, since their lists were read before, and nobody else', () => {
    const browser = new FakeBrowser()
    const hub = browser.tab()
    const seen: string[] = []
    const note = (name: string) => (event: LiveEvent) => seen.push(`${name} ${event.type}`)
    hub.subscribe(['runs'], note('list'))
    settle()
    browser.sources[0]?.opens()
    expect(seen).toEqual(['list resync'])
    hub.subscribe(['workflow:1'], note('workflow'))
    hub.subscribe(['run:7'], note('run')) // the server begins with all that it has of it
    settle()
    browser.sources[1]?.opens()
    expect(seen).toEqual(['list resync', 'workflow resync'])
  })

  it('leaves reconnecting to the browser, and opens anew when the server refuses', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve({ status: 200 }))
    const browser = new FakeBrowser()
    const hub = browser.tab()
    const seen: string[] = []
    hub.subscribe(['runs'], (event) => seen.push(event.type))
    settle()
    browser.sources[0]?.opens()
    seen.length = 0
    browser.sources[0]?.fails(0) // connecting again by itself, with Last-Event-ID
    expect(hub.state.value).toBe('connecting')
    expect(browser.sources).toHaveLength(1)
    browser.sources[0]?.fails(2)
    await vi.advanceTimersByTimeAsync(1500)
    expect(browser.sources).toHaveLength(2)
    browser.sources[1]?.opens()
    expect(hub.state.value).toBe('live')
    expect(seen).toEqual(['resync']) // a new stream does not know where the old one was
  })
})

describe('parseEvent', () => {
  it.each([
    ['run', '{"id":"1","status":"running"}', true],
    ['run', '{"id":"1"}', false],
    ['logs', '{"run_id":"1","items":[]}', true],
    ['logs', '{"items":[]}', false],
    ['run', 'null', false],
    ['run', '{', false],
  ] as const)('%s %s: %s', (type, text, good) => {
    expect(parseEvent(type, text) !== undefined).toBe(good)
  })
})
