import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { toYAML } from './yaml'

it('writes what people like to read', () => {
  expect(
    toYAML({
      name: 'Daily rate',
      enabled: true,
      triggers: [{ id: 'a', cron: '0 9 * * MON-FRI', excluded_dates: ['2026-12-25'], inputs: {} }],
      steps: [
        {
          id: 'fetch',
          config: { url: 'https://e.com/?a={{ inputs.a }}', message: 'one\ntwo\n' },
          depends_on: [],
        },
        { id: 'note', config: { message: '{{ steps.fetch.body }}', count: 1.5, none: null } },
      ],
    }),
  ).toBe(`name: Daily rate
enabled: true
triggers:
  - id: a
    cron: 0 9 * * MON-FRI
    excluded_dates:
      - "2026-12-25"
    inputs: {}
steps:
  - id: fetch
    config:
      url: https://e.com/?a={{ inputs.a }}
      message: |
        one
        two
    depends_on: []
  - id: note
    config:
      message: "{{ steps.fetch.body }}"
      count: 1.5
      none: null
`)
})

describe('what is written is read as the same', () => {
  it.each([
    [''],
    [' '],
    ['yes'],
    ['No'],
    ['~'],
    ['1e3'],
    ['0x1f'],
    ['1_000'],
    ['.5'],
    ['12:30'],
    ['2026-01-01T00:00:00Z'],
    ['a: b'],
    ['a #b'],
    ['a:'],
    ['- a'],
    ['? a'],
    ['*a'],
    ['&a'],
    ['!a'],
    ['%a'],
    ['@a'],
    ['`a'],
    ['"a"'],
    ["'a'"],
    ['{a}'],
    ['[a'],
    ['a\tb'],
    ['a\nb'],
    ['a\nb\n'],
    ['a\n\nb'],
    ['a\n\n'],
    ['\na'],
    [' a\nb'],
    ['a \nb'],
    ['a\nb '],
    ['a\r\nb'],
    ['---'],
    ['...'],
    ['a\n---\nb'],
    ['\u2028\u0085\ufeff\u007f'],
    ['ñandú 日本 😀'],
    ['😀\nx'],
    ['<<'],
    ['='],
    ['null'],
    ['x'.repeat(500)],
  ])('%j', (text) => {
    for (const value of [text, { [text]: text }, [text, [text, { a: text }]], { a: { b: [text] } }])
      expect(parse(toYAML(value))).toEqual(value)
  })

  it('also for anything by chance', () => {
    let seed = 7
    const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n
    const letters = [
      'a',
      'B',
      '1',
      ' ',
      '\n',
      ':',
      '#',
      '-',
      '{',
      '}',
      '[',
      ',',
      '"',
      "'",
      '\\',
      '|',
      '>',
      '\t',
      'é',
      '*',
      '.',
      '~',
    ]
    const text = () => Array.from({ length: random(9) }, () => letters[random(letters.length)]).join('')
    const value = (depth: number): unknown => {
      const kind = random(depth > 3 ? 4 : 6)
      if (kind === 4) return Array.from({ length: random(4) }, () => value(depth + 1))
      if (kind === 5)
        return Object.fromEntries(Array.from({ length: random(4) }, () => [text(), value(depth + 1)]))
      return kind === 0 ? random(1000) - 500 : kind === 1 ? random(2) === 0 : text()
    }
    for (let i = 0; i < 3000; i++) {
      const made = value(0)
      expect(parse(toYAML(made)), JSON.stringify(made)).toEqual(made)
    }
  })
})
