// What a draft was read from. A form shows less than a definition can hold: a number in a header, a field that a later
// version of the contract knows. Whatever the person did not change is given back exactly as it came.

interface Origin {
  given: unknown
  /** What the form makes of `given` when nothing is changed; known after the first time it is written. */
  read?: unknown
}

const origins = new Map<string, Origin>()

/** Remembers what the draft under key was read from. Keys are never used twice. */
export function keepOrigin(key: string, given: unknown): void {
  origins.set(key, { given: JSON.parse(JSON.stringify(given)) as unknown })
}

/** Lets a copy have the same origin. */
export function copyOrigin(from: string, to: string): void {
  const origin = origins.get(from)
  if (origin) origins.set(to, { ...origin })
}

/** Says what the form makes of an untouched draft. */
export function settleOrigin(key: string, read: unknown): void {
  const origin = origins.get(key)
  if (origin && origin.read === undefined) origin.read = read
}

/** The written form of a draft, with what was not changed as it came. Fields in `own` are taken as written. */
export function withOrigin<T extends object>(key: string, written: T, own: readonly string[] = []): T {
  const origin = origins.get(key)
  if (!origin) return written
  const pick = (value: unknown) =>
    isObject(value)
      ? Object.fromEntries(Object.entries(value).filter(([name]) => !own.includes(name)))
      : value
  settleOrigin(key, pick(written))
  const merged = merge(pick(origin.given), origin.read, pick(written)) as Record<string, unknown>
  const fields = written as Record<string, unknown>
  for (const name of own) if (fields[name] !== undefined) merged[name] = fields[name]
  return merged as T
}

/** `given` where `read` and `now` are the same, else `now`; objects field by field. */
export function merge(given: unknown, read: unknown, now: unknown): unknown {
  if (same(read, now)) return given
  if (!isObject(given) || !isObject(read) || !isObject(now)) return now
  const result: Record<string, unknown> = {}
  for (const name of new Set([...Object.keys(given), ...Object.keys(now)])) {
    const unknownToForm = !(name in read) && !(name in now)
    const value = unknownToForm ? given[name] : merge(given[name], read[name], now[name])
    if (value !== undefined) result[name] = value
  }
  return result
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
