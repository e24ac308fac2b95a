import { describe, expect, it } from 'vitest'
import { say } from './message'

describe('a text', () => {
  it('takes its values', () => {
    expect(say('Hello {name}, {n} of {most}', { name: 'Ana', n: 1, most: 2 })).toBe('Hello Ana, 1 of 2')
    expect(say('{gone}!')).toBe('!')
  })

  it('has literals for what would mean something else', () => {
    expect(say("name{'@'}example.com")).toBe('name@example.com')
    expect(say(`Write {'{'}"a": 1{'}'}`)).toBe('Write {"a": 1}')
    expect(say("this {'|'} that")).toBe('this | that')
  })

  it('has a form for one and one for others', () => {
    const text = '{n} file | {n} files'
    expect([0, 1, 2].map((n) => say(text, {}, n))).toEqual(['0 files', '1 file', '2 files'])
    expect(say(text, { n: 5 })).toBe('5 files')
    expect(say(text, { n: '1,000' }, 1000)).toBe('1,000 files')
  })

  it('may have a form for none', () => {
    const text = 'nothing | {n} file | {n} files'
    expect([0, 1, 2, 9].map((n) => say(text, {}, n))).toEqual(['nothing', '1 file', '2 files', '9 files'])
    expect(say(text)).toBe(' file')
  })
})
