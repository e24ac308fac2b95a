// The zone in which times are shown: the browser's, unless the reader chose another one in the settings.
import { computed, ref } from 'vue'

const storageKey = 'orq.zone'

/** The browser's own zone. */
export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'

export function isZone(name: string): boolean {
  if (name === '') return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function stored(): string {
  try {
    const value = localStorage.getItem(storageKey) ?? ''
    return isZone(value) ? value : ''
  } catch {
    return ''
  }
}

/** What was chosen; "" is the browser's zone. */
export const chosenZone = ref(stored())
export const displayZone = computed(() => chosenZone.value || browserZone)

export function setZone(next: string): void {
  chosenZone.value = isZone(next) ? next : ''
  try {
    if (chosenZone.value) localStorage.setItem(storageKey, chosenZone.value)
    else localStorage.removeItem(storageKey)
  } catch {
    // Storage may be blocked; the choice then lasts until the page is closed.
  }
}

/** Every zone that the browser knows, UTC and the reader's own first. */
export function zoneNames(): string[] {
  return [...new Set(['UTC', browserZone, displayZone.value, ...Intl.supportedValuesOf('timeZone')])]
}

/** How far a zone's clocks are ahead of UTC at an instant, in milliseconds. */
function offsetOf(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at)
  const value = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((part) => part.type === type)?.value ?? 0)
  const wall = Date.UTC(
    value('year'),
    value('month') - 1,
    value('day'),
    value('hour'),
    value('minute'),
    value('second'),
  )
  return wall - Math.floor(at / 1000) * 1000
}

/** An instant as <input type="datetime-local"> wants it, on the clocks of a zone; "" for what is none. */
export function toLocalInput(instant: string, zone = displayZone.value): string {
  const at = Date.parse(instant)
  if (Number.isNaN(at)) return ''
  return new Date(at + offsetOf(at, zone)).toISOString().slice(0, 16)
}

/**
 * The instant that such an input means; undefined for what is none. Of a time that comes twice it is the first, and one
 * that does not exist is the one as long after the change.
 */
export function fromLocalInput(text: string, zone = displayZone.value): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text)) return undefined
  const wall = Date.parse(`${text}Z`)
  if (Number.isNaN(wall)) return undefined
  const day = 86_400_000
  const candidates = [wall - offsetOf(wall - day, zone), wall - offsetOf(wall + day, zone)]
  const exact = candidates.filter((at) => at + offsetOf(at, zone) === wall)
  return new Date(exact.length > 0 ? Math.min(...exact) : Math.max(...candidates)).toISOString()
}
