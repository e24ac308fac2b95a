import { describe, expect, it } from 'vitest'
import { parseCrontab } from './crontab'

const read = (text: string, users = false) => parseCrontab(text, { zone: 'Europe/Madrid', users })

describe('parseCrontab', () => {
  it('reads several lines with comments, settings and zones', () => {
    const { lines, ignored } = read(`
# Backup of the customers
30 2 * * *   curl -fsSL https://backup.example.com/start
MAILTO=ana@example.com
CRON_TZ=America/Bogota

@daily /usr/local/bin/tidy.sh --all   # not a comment for cron
*/5 8-18 * jan,feb MON-FRI curl -X POST https://example.com/ping >/dev/null 2>&1
`)
    expect(ignored).toEqual(['MAILTO'])
    expect(lines.map(({ line, cron, zone, name }) => ({ line, cron, zone, name }))).toEqual([
      { line: 3, cron: '30 2 * * *', zone: 'Europe/Madrid', name: 'Backup of the customers' },
      {
        line: 7,
        cron: '@daily',
        zone: 'America/Bogota',
        name: '/usr/local/bin/tidy.sh --all   # not a comment for cron',
      },
      {
        line: 8,
        cron: '*/5 8-18 * jan,feb MON-FRI',
        zone: 'America/Bogota',
        name: 'curl -X POST https://example.com/ping >/dev/null 2>&1',
      },
    ])
    expect(lines[0]?.definition).toEqual({
      name: 'Backup of the customers',
      description: '30 2 * * *   curl -fsSL https://backup.example.com/start',
      enabled: true,
      triggers: [{ id: 'schedule', type: 'schedule', cron: '30 2 * * *', timezone: 'Europe/Madrid' }],
      steps: [
        {
          id: 'request',
          name: 'GET backup.example.com/start',
          action: 'http_endpoint',
          config: { method: 'GET', url: 'https://backup.example.com/start' },
        },
      ],
    })
    // A command of the shell is not switched on, and says so.
    expect(lines[1]?.definition?.enabled).toBe(false)
    expect(lines[1]?.notes.map(({ code }) => code)).toEqual(['command'])
    expect(lines[2]?.definition?.steps[0]?.config).toMatchObject({ method: 'POST' })
  })

  it.each([
    ['@reboot /bin/true', 'reboot'],
    ['@often /bin/true', 'nickname'],
    ['0 9 * * *', 'noSchedule'],
    ['hello world this is no line', 'noSchedule'],
    ['@daily', 'noCommand'],
  ])('refuses %j: %s', (text, code) => {
    expect(read(text).lines[0]?.refused.map((remark) => remark.code)).toEqual([code])
  })

  it('knows the column with the user, and percent signs', () => {
    expect(
      read('0 5 * * 1 root curl https://e.com/a\\%20b', true).lines[0]?.definition?.steps[0]?.config,
    ).toMatchObject({
      url: 'https://e.com/a%20b',
    })
    expect(read('0 5 * * 1 mail -s hi ana%Hello%').lines[0]?.notes.map(({ code }) => code)).toEqual([
      'percent',
      'command',
    ])
  })

  it('a curl that cannot be one becomes its text, with the reason', () => {
    const [line] = read('0 5 * * * curl https://e.com | mail ana').lines
    expect(line?.definition?.enabled).toBe(false)
    expect(line?.notes.map(({ code }) => code)).toEqual(['joined', 'command'])
  })
})
