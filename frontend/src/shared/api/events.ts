// Live events. Browsers allow six connections to a server over HTTP/1.1, so all tabs share one stream: the tab that
// holds the lock "orq-events" leads, opens the EventSource for what every tab wants, and passes each frame on through a
// BroadcastChannel. Without Web Locks (plain http) every tab leads for itself.
import { ref } from 'vue'
import { refreshSession } from './session'
import type { LogLine, Run, RunSummary } from './types'

export interface EventPayloads {
  run: RunSummary | Run
  logs: { run_id: string; items: LogLine[] }
}

export type LiveEvent =
  | { [K in keyof EventPayloads]: { type: K; data: EventPayloads[K] } }[keyof EventPayloads]
  | {
      type: 'resync'
      /** Those of which something may have been missed; without, all. */
      topics?: string[]
    }

export type LiveState = 'off' | 'connecting' | 'live'

type Message =
  | { kind: 'want'; tab: string; topics: string[] }
  | { kind: 'bye'; tab: string }
  | { kind: 'ask' }
  | { kind: 'event'; event: LiveEvent }
  | { kind: 'state'; state: LiveState }

/** What a hub needs from the browser; tests give their own. */
export interface HubEnvironment {
  open: (url: string) => EventSource
  channel: Pick<BroadcastChannel, 'postMessage' | 'addEventListener'> | undefined
  /** Calls lead once this tab leads, at once where there is nobody to ask. */
  elect: (lead: () => void) => void
  now: () => number
}

const settleAfter = 60 // ms in which further changes of topics join one new stream
const remindEvery = 20_000 // ms between two reminders of a following tab
const forgetAfter = 150_000 // ms; timers of hidden tabs may wait a minute
const retryFirst = 1_000
const retryMost = 30_000

export class EventHub {
  /** What the page can tell its reader about the stream. */
  readonly state = ref<LiveState>('off')

  private readonly tab = Math.random().toString(36).slice(2)
  private readonly handlers = new Map<(event: LiveEvent) => void, readonly string[]>()
  private readonly others = new Map<string, { topics: string[]; seen: number }>()
  private readonly environment: HubEnvironment
  private leading = false
  private started = false
  private source: EventSource | undefined
  private next: EventSource | undefined
  private openTopics = ''
  private heard: string[] = [] // the topics of the stream that speaks
  private settle: ReturnType<typeof setTimeout> | undefined
  private retry: ReturnType<typeof setTimeout> | undefined
  private failures = 0

  constructor(environment: HubEnvironment) {
    this.environment = environment
  }

  /** Delivers the events of topics to handler until the returned function is called. */
  subscribe(topics: readonly string[], handler: (event: LiveEvent) => void): () => void {
    this.start()
    this.handlers.set(handler, topics)
    this.announce()
    return () => {
      this.handlers.delete(handler)
      this.announce()
    }
  }

  /** Closes the stream and forgets all topics: the session is over. */
  stop(): void {
    this.handlers.clear()
    this.others.clear()
    this.announce()
  }

  private start(): void {
    if (this.started) return
    this.started = true
    const { channel, elect } = this.environment
    channel?.addEventListener('message', (message) => this.receive((message as MessageEvent<Message>).data))
    channel?.postMessage({ kind: 'ask' } satisfies Message)
    elect(() => {
      this.leading = true
      this.environment.channel?.postMessage({ kind: 'ask' } satisfies Message)
      this.reopen()
    })
    setInterval(() => {
      if (this.leading) this.reopen()
      else if (this.handlers.size > 0) this.announce()
    }, remindEvery)
    addEventListener('pagehide', () => channel?.postMessage({ kind: 'bye', tab: this.tab } satisfies Message))
  }

  private own(): string[] {
    return [...new Set([...this.handlers.values()].flat())]
  }

  private announce(): void {
    if (this.leading) {
      this.reopen()
      return
    }
    this.environment.channel?.postMessage({
      kind: 'want',
      tab: this.tab,
      topics: this.own(),
    } satisfies Message)
  }

  private receive(message: Message): void {
    switch (message.kind) {
      case 'want':
        if (!this.leading) return
        this.others.set(message.tab, { topics: message.topics, seen: this.environment.now() })
        this.environment.channel?.postMessage({ kind: 'state', state: this.state.value } satisfies Message)
        this.reopen()
        return
      case 'bye':
        if (this.others.delete(message.tab)) this.reopen()
        return
      case 'ask':
        if (!this.leading) this.announce()
        return
      case 'event':
        if (!this.leading) this.deliver(message.event)
        return
      case 'state':
        if (!this.leading) this.state.value = message.state
    }
  }

  private deliver(event: LiveEvent): void {
    const about = event.type === 'resync' ? event.topics : undefined
    for (const [handler, topics] of [...this.handlers]) {
      if (!about || topics.some((topic) => about.includes(topic))) handler(event)
    }
  }

  private spread(event: LiveEvent): void {
    this.deliver(event)
    this.environment.channel?.postMessage({ kind: 'event', event } satisfies Message)
  }

  private setState(state: LiveState): void {
    if (this.state.value === state) return
    this.state.value = state
    this.environment.channel?.postMessage({ kind: 'state', state } satisfies Message)
  }

  private wanted(): string {
    const oldest = this.environment.now() - forgetAfter
    const topics = new Set(this.own())
    for (const [tab, { topics: theirs, seen }] of this.others) {
      if (seen < oldest) this.others.delete(tab)
      else for (const topic of theirs) topics.add(topic)
    }
    return [...topics].sort().slice(0, 50).join(',')
  }

  private reopen(): void {
    clearTimeout(this.settle)
    this.settle = setTimeout(() => {
      const topics = this.wanted()
      if (topics === this.openTopics) return
      this.openTopics = topics
      clearTimeout(this.retry)
      this.next?.close()
      this.next = undefined
      if (topics === '') {
        this.source?.close()
        this.source = undefined
        this.heard = []
        this.setState('off')
        return
      }
      this.connect(topics, false)
    }, settleAfter)
  }

  /** Opens the stream; the one before stays until the new one speaks, so that nothing falls between the two. */
  private connect(topics: string, afterLoss: boolean): void {
    if (!this.source) this.setState('connecting')
    const source = this.environment.open(`/api/v1/events?topics=${encodeURIComponent(topics)}`)
    this.next = source
    source.addEventListener('open', () => {
      this.failures = 0
      if (this.next === source) {
        this.source?.close()
        this.source = source
        this.next = undefined
        this.catchUp(topics.split(','), afterLoss)
      }
      this.setState('live')
    })
    source.addEventListener('error', () => {
      if (source !== this.source && source !== this.next) return
      this.setState('connecting')
      // While it is CONNECTING the browser tries again by itself and says where it was (Last-Event-ID).
      if (source.readyState !== EventSource.CLOSED) return
      void this.recover(topics)
    })
    const pass = (type: keyof EventPayloads) => (message: Event) => {
      const event = parseEvent(type, (message as MessageEvent<string>).data)
      if (event) this.spread(event)
    }
    source.addEventListener('run', pass('run'))
    source.addEventListener('logs', pass('logs'))
    source.addEventListener('resync', () => this.spread({ type: 'resync' }))
  }

  /**
   * Pages read their lists before the stream has begun, or before this tab led: what happened between is unknown. Of a
   * single run the server sends all that there is.
   */
  private catchUp(topics: string[], afterLoss: boolean): void {
    const unheard = topics.filter(
      (topic) => !topic.startsWith('run:') && (afterLoss || !this.heard.includes(topic)),
    )
    this.heard = topics
    if (unheard.length > 0) this.spread({ type: 'resync', topics: unheard })
  }

  /** The server refused the stream: perhaps the session ran out, perhaps it restarts. */
  private async recover(topics: string): Promise<void> {
    this.source?.close()
    this.next?.close()
    this.source = this.next = undefined
    const pause = Math.min(retryMost, retryFirst * 2 ** this.failures++)
    // The stream does not tell why. A call that needs the session does, and renewing is what a 401 asks for.
    const me = await fetch('/api/v1/auth/me').catch(() => undefined)
    if (me?.status === 401 && !(await refreshSession(this.environment.now()))) {
      this.setState('off')
      this.openTopics = ''
      return
    }
    clearTimeout(this.retry)
    this.retry = setTimeout(() => {
      if (this.openTopics === topics) this.connect(topics, true)
    }, pause)
  }
}

/** Reads one frame; undefined when it is not what the contract says. */
export function parseEvent(type: keyof EventPayloads, text: string): LiveEvent | undefined {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof data !== 'object' || data === null) return undefined
  if (type === 'logs') {
    return 'run_id' in data && 'items' in data ? { type, data: data as EventPayloads['logs'] } : undefined
  }
  return 'id' in data && 'status' in data ? { type, data: data as EventPayloads['run'] } : undefined
}

function browserEnvironment(): HubEnvironment {
  const shared = Boolean(navigator.locks) && 'BroadcastChannel' in window
  return {
    open: (url) => new EventSource(url),
    channel: shared ? new BroadcastChannel('orq-events') : undefined,
    elect(lead) {
      if (!shared) {
        lead()
        return
      }
      void navigator.locks.request('orq-events', () => {
        lead()
        return new Promise<never>(() => undefined) // leads until the tab is closed
      })
    },
    now: () => Date.now(),
  }
}

export const events = new EventHub(browserEnvironment())
