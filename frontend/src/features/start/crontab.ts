// A crontab as workflows. Each line becomes one; what its command calls by curl becomes a call, any other command cannot be
// run here and is said so.
import type { WorkflowInput } from '@/shared/api/types'
import { parseCurl, plain, type Remark } from './curl'

export interface CrontabLine {
  line: number
  text: string
  cron: string
  zone: string
  command: string
  /** From the comment above the line. */
  name: string
  /** Why it cannot be a workflow. */
  refused: Remark[]
  notes: Remark[]
  definition?: WorkflowInput
}

export interface Crontab {
  lines: CrontabLine[]
  /** Settings of the file that have no counterpart, such as MAILTO. */
  ignored: string[]
}

const nicknames = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']
const setting = /^([A-Za-z_]\w*)\s*=\s*(.*)$/
/** What a first field of a schedule looks like. */
const field = /^[\d*?]|^(?:[A-Za-z]{3})(?:[,-]|$)/

export interface CrontabOptions {
  zone: string
  /** Lines name a user between schedule and command, as those of /etc/crontab do. */
  users: boolean
}

export function parseCrontab(text: string, options: CrontabOptions): Crontab {
  const result: Crontab = { lines: [], ignored: [] }
  let zone = options.zone
  let comment = ''
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = raw.trim()
    if (line === '') {
      comment = ''
      return
    }
    if (line.startsWith('#')) {
      comment = line.replace(/^#+\s*/, '')
      return
    }
    const set = setting.exec(line)
    if (set) {
      const [, name = '', value = ''] = set
      if (name === 'CRON_TZ' || name === 'TZ') zone = value.replace(/^["']|["']$/g, '') || options.zone
      else result.ignored.push(name)
      return
    }
    result.lines.push(jobOf(line, i + 1, zone, comment, options.users))
    comment = ''
  })
  return result
}

function jobOf(text: string, line: number, zone: string, comment: string, users: boolean): CrontabLine {
  const job: CrontabLine = { line, text, cron: '', zone, command: '', name: '', refused: [], notes: [] }
  const words = text.split(/\s+/)
  const first = (words[0] ?? '').toLowerCase()
  const fields = first.startsWith('@') ? 1 : 5
  job.cron = words.slice(0, fields).join(' ')
  const rest = new RegExp(`^(?:\\S+\\s+){${fields + (users ? 1 : 0)}}(.*)$`).exec(text)
  job.command = (rest?.[1] ?? '').trim()
  job.name = (comment || job.command || job.cron).slice(0, 120)
  if (first === '@reboot') job.refused.push({ code: 'reboot' })
  else if (first.startsWith('@') && !nicknames.includes(first))
    job.refused.push({ code: 'nickname', detail: first })
  else if (
    !first.startsWith('@') &&
    (words.length < 6 || !words.slice(0, 5).every((word) => field.test(word)))
  )
    job.refused.push({ code: 'noSchedule' })
  else if (job.command === '') job.refused.push({ code: 'noCommand' })
  if (job.refused.length === 0) job.definition = definitionOf(job)
  return job
}

function definitionOf(job: CrontabLine): WorkflowInput {
  const command = unescapePercent(job)
  const curl = /^(?:\S*\/)?curl\s/.test(command) ? parseCurl(command.replace(/^\S*curl/, 'curl')) : undefined
  const step = curl?.step
  if (curl) job.notes.push(...curl.notes, ...curl.refused)
  if (!step) job.notes.push({ code: 'command' })
  return {
    name: job.name,
    description: job.text,
    // What would only write the command into a log is not switched on by itself.
    enabled: step !== undefined,
    triggers: [{ id: 'schedule', type: 'schedule', cron: job.cron, timezone: job.zone }],
    steps: [
      step ?? { id: 'command', action: 'log_message', config: { message: plain(command), level: 'warn' } },
    ],
  }
}

/** Cron takes what follows an unescaped % for the command's input. */
function unescapePercent(job: CrontabLine): string {
  const cut = /(?<!\\)%/.exec(job.command)
  if (cut) job.notes.push({ code: 'percent' })
  return (cut ? job.command.slice(0, cut.index) : job.command).replaceAll('\\%', '%').trim()
}
