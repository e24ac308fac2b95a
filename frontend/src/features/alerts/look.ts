// How alerts look: what they are about, and how they went.
import {
  AlarmClock,
  BellOff,
  CircleCheck,
  CircleX,
  Clock,
  FlaskConical,
  HeartPulse,
  Inbox,
  LoaderCircle,
  Moon,
  Pause,
  HardDrive,
  CalendarX2,
  Timer,
} from '@lucide/vue'
import type { Component } from 'vue'
import type { Alert, AlertKind } from '@/shared/api/types'
import type { AlertState } from './api'

export const kindLooks: Record<AlertKind, { icon: Component; look: string }> = {
  failure: { icon: CircleX, look: 'text-bad bg-bad-soft' },
  missed: { icon: CalendarX2, look: 'text-wait bg-wait-soft' },
  late_start: { icon: AlarmClock, look: 'text-wait bg-wait-soft' },
  late_finish: { icon: Timer, look: 'text-wait bg-wait-soft' },
  held: { icon: Pause, look: 'text-wait bg-wait-soft' },
  heartbeat: { icon: HeartPulse, look: 'text-bad bg-bad-soft' },
  storage: { icon: HardDrive, look: 'text-wait bg-wait-soft' },
  recovery: { icon: CircleCheck, look: 'text-ok bg-ok-soft' },
  test: { icon: FlaskConical, look: 'text-ink-soft bg-mute-soft' },
  digest: { icon: Inbox, look: 'text-ink-soft bg-mute-soft' },
}

export const stateLooks: Record<AlertState, { icon: Component; text: string }> = {
  sent: { icon: CircleCheck, text: 'text-ok' },
  waiting: { icon: LoaderCircle, text: 'text-wait' },
  failed: { icon: CircleX, text: 'text-bad' },
  kept: { icon: Moon, text: 'text-wait' },
  digested: { icon: Inbox, text: 'text-ink-soft' },
  dropped: { icon: BellOff, text: 'text-ink-soft' },
}

export const deliveryLooks = {
  sent: stateLooks.sent,
  waiting: { icon: Clock, text: 'text-wait' },
  sending: stateLooks.waiting,
  failed: stateLooks.failed,
}

/** How a message went as a whole: what did not arrive counts most, then what is on its way. */
export function stateOf(alert: Pick<Alert, 'state' | 'deliveries'>): AlertState {
  if (alert.state !== 'out') return alert.state
  const has = (...states: string[]) => alert.deliveries.some(({ state }) => states.includes(state))
  if (has('failed')) return 'failed'
  return has('waiting', 'sending') ? 'waiting' : 'sent'
}
