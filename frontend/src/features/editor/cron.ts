// The common schedules as fields, and their way to a cron expression and back. An expression that no preset can say
// stays as text.

export type CronPreset =
  | { kind: 'seconds'; every: number }
  | { kind: 'minutes'; every: number }
  | { kind: 'hourly'; minute: number }
  | { kind: 'daily'; hour: number; minute: number }
  | { kind: 'weekly'; days: number[]; hour: number; minute: number }
  | { kind: 'monthly'; day: number; hour: number; minute: number }

export type PresetKind = CronPreset['kind']
export const presetKinds: readonly PresetKind[] = [
  'seconds',
  'minutes',
  'hourly',
  'daily',
  'weekly',
  'monthly',
]

/** Steps that divide a minute or an hour evenly: with any other, the last pause of the hour is shorter. */
export const evenSteps: readonly number[] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30]

/** A preset of each kind to begin with. */
export function startingPreset(kind: PresetKind): CronPreset {
  switch (kind) {
    case 'seconds':
      return { kind, every: 30 }
    case 'minutes':
      return { kind, every: 15 }
    case 'hourly':
      return { kind, minute: 0 }
    case 'daily':
      return { kind, hour: 9, minute: 0 }
    case 'weekly':
      return { kind, days: [1, 2, 3, 4, 5], hour: 9, minute: 0 }
    case 'monthly':
      return { kind, day: 1, hour: 9, minute: 0 }
  }
}

/** The cron expression of a preset: five fields, six for seconds. */
export function cronOf(preset: CronPreset): string {
  switch (preset.kind) {
    case 'seconds':
      return `${stepField(preset.every)} * * * * *`
    case 'minutes':
      return `${stepField(preset.every)} * * * *`
    case 'hourly':
      return `${preset.minute} * * * *`
    case 'daily':
      return `${preset.minute} ${preset.hour} * * *`
    case 'weekly':
      return `${preset.minute} ${preset.hour} * * ${daysField(preset.days)}`
    case 'monthly':
      return `${preset.minute} ${preset.hour} ${preset.day} * *`
  }
}

function stepField(every: number): string {
  return every === 1 ? '*' : `*/${every}`
}

function daysField(days: readonly number[]): string {
  const sorted = [...new Set(days)].sort((a, b) => a - b)
  if (sorted.join() === '1,2,3,4,5') return 'MON-FRI'
  return sorted.length === 0 ? '*' : sorted.map((day) => dayNames[day]).join(',')
}

const dayNames = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

/** The preset that says the same as the expression; undefined when none does. */
export function presetOf(cron: string): CronPreset | undefined {
  const fields = cron.trim().split(/\s+/)
  if (fields.length === 6) {
    const [second, ...rest] = fields
    const every = stepOf(second)
    return every !== undefined && rest.every((field) => field === '*')
      ? { kind: 'seconds', every }
      : undefined
  }
  if (fields.length !== 5) return undefined
  const [minuteField, hourField, dayField, monthField, weekdayField] = fields
  if (monthField !== '*') return undefined
  const everyMinute = stepOf(minuteField)
  const anyDay = dayField === '*' && weekdayField === '*'
  if (everyMinute !== undefined) {
    return hourField === '*' && anyDay ? { kind: 'minutes', every: everyMinute } : undefined
  }
  const minute = numberOf(minuteField, 0, 59)
  if (minute === undefined) return undefined
  if (hourField === '*') return anyDay ? { kind: 'hourly', minute } : undefined
  const hour = numberOf(hourField, 0, 23)
  if (hour === undefined) return undefined
  if (anyDay) return { kind: 'daily', hour, minute }
  if (dayField === '*') {
    const days = daysOf(weekdayField)
    return days && { kind: 'weekly', days, hour, minute }
  }
  const day = numberOf(dayField, 1, 31)
  return day !== undefined && weekdayField === '*' ? { kind: 'monthly', day, hour, minute } : undefined
}

function numberOf(field: string | undefined, least: number, most: number): number | undefined {
  if (field === undefined || !/^\d{1,2}$/.test(field)) return undefined
  const value = Number(field)
  return value >= least && value <= most ? value : undefined
}

function stepOf(field: string | undefined): number | undefined {
  if (field === '*') return 1
  const step = /^\*\/(\d{1,2})$/.exec(field ?? '')
  if (!step) return undefined
  const every = Number(step[1])
  return evenSteps.includes(every) ? every : undefined
}

function daysOf(field: string | undefined): number[] | undefined {
  const days = new Set<number>()
  for (const part of (field ?? '').split(',')) {
    const [from, to, ...rest] = part.split('-').map(dayOf)
    if (rest.length > 0 || from === undefined) return undefined
    const last = part.includes('-') ? to : from
    if (last === undefined || last < from) return undefined
    for (let day = from; day <= last; day++) days.add(day % 7)
  }
  return [...days].sort((a, b) => a - b)
}

function dayOf(text: string): number | undefined {
  const named = dayNames.indexOf(text.toUpperCase())
  return named >= 0 ? named : numberOf(text, 0, 7)
}
