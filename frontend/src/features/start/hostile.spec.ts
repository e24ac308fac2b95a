// What people paste comes from anywhere: whatever it is, it is read or refused, and no parser throws or never ends.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDuration } from '@/shared/lib/format'
import { fromLocalInput } from '@/shared/lib/zone'
import { parseSource } from '@/shared/lib/source'
import { parseCrontab } from './crontab'
import { parseCurl } from './curl'

/** Pieces that mean something to one of the parsers, and texts that mean nothing. */
const pieces = fc.oneof(
  fc.constantFrom(
    ...[
      'curl',
      '-X',
      '-d',
      '--data-urlencode',
      '-H',
      '-u',
      '-F',
      '--json',
      'https://h/',
      "'",
      '"',
      '\\',
      '\n',
      '$(x)',
      '`',
      '|',
      '&&',
      '@',
      '=',
      ':',
      '%',
      '#',
    ],
    ...[
      '* * * * *',
      '0 9 * * MON-FRI',
      '@daily',
      '@reboot',
      'MAILTO=a',
      'CRON_TZ=Europe/Madrid',
      'root',
      '/5',
      '\t',
      '\r\n',
      '\u0000',
      '\ufeff',
    ],
    ...[
      'name:',
      '- ',
      '  ',
      '&a',
      '*a',
      '<<:',
      '{',
      '}',
      '[',
      ']',
      '? ',
      '!!js/function',
      '|',
      '>',
      '---',
      '...',
      'steps:',
      '1h',
      '90s',
      '-1d',
      '9'.repeat(400),
    ],
  ),
  fc.string(),
  fc.string({ unit: 'binary' }),
)
const text = fc.array(pieces, { maxLength: 40 }).map((list) => list.join(' '))
const runs = { numRuns: 2000 }

describe('what is pasted', () => {
  it('is a curl command, or says why it is none', () => {
    fc.assert(
      fc.property(text, (pasted) => {
        const { step, refused } = parseCurl('curl ' + pasted)
        expect(step === undefined).toBe(refused.length > 0)
      }),
      runs,
    )
  })

  it('is a crontab, line by line', () => {
    fc.assert(
      fc.property(text, fc.boolean(), (pasted, users) => {
        const { lines } = parseCrontab(pasted, { zone: 'Europe/Madrid', users })
        for (const line of lines) expect(line.definition === undefined).toBe(line.refused.length > 0)
      }),
      runs,
    )
  })

  it('is a definition, or has a problem on a line', () => {
    fc.assert(
      fc.property(text, (pasted) => {
        const read = parseSource(pasted)
        if ('problem' in read) expect(read.problem.line).toBeGreaterThan(0)
        else expect(read.lineOf('/steps/0')).toBeGreaterThan(0)
      }),
      runs,
    )
  })

  it('is a length of time or a local time, or neither', () => {
    fc.assert(
      fc.property(text, (typed) => {
        const seconds = parseDuration(typed)
        expect(seconds === undefined || seconds >= 0).toBe(true)
        const instant = fromLocalInput(typed, 'America/Sao_Paulo')
        expect(instant === undefined || !Number.isNaN(Date.parse(instant))).toBe(true)
      }),
      runs,
    )
  })
})
