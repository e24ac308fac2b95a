import { describe, expect, it } from 'vitest'
import { completionAt, namesOf } from './suggest'

const known = ['inputs.id', 'steps.fetch.body', 'steps.fetch.status', 'secrets.token'].map((text) => ({
  text,
}))
/** What is offered where | stands. */
function offered(text: string, expression = false): string[] | undefined {
  const at = text.indexOf('|')
  return completionAt(text.replace('|', ''), at, known, expression)?.options.map((option) => option.text)
}

describe('suggestions', () => {
  it('are made inside braces only', () => {
    expect(offered('hello |')).toBeUndefined()
    expect(offered('{{ | }}')).toHaveLength(4)
    expect(offered('{{ steps.f| }}')).toEqual(['steps.fetch.body', 'steps.fetch.status'])
    expect(offered('{{ inputs.id }} and |')).toBeUndefined()
    expect(offered('{{ sum(sec| }}')).toEqual(['secrets.token'])
    expect(offered('{{ status| }}')).toEqual(['steps.fetch.status'])
  })
  it('are not made where nothing can be named', () => {
    expect(offered('{{ "st| }}')).toBeUndefined()
    expect(offered('{{ inputs.id | }}')).toBeUndefined()
    expect(offered('{{ secrets.token| }}')).toBeUndefined()
  })
  it('are made everywhere in an expression', () => {
    expect(offered('steps.fetch.status == 200 and in|', true)).toEqual(['inputs.id'])
  })
  it('replace the whole word', () => {
    const text = '{{ steps.fetch }}'
    expect(completionAt(text, 8, known)).toMatchObject({ from: 3, to: 14 })
  })
  it('go two levels deep', () => {
    const names = namesOf('steps.a', {
      properties: { body: { title: 'Body', properties: { x: { properties: { y: {} } } } } },
    })
    expect(names.map(({ text }) => text)).toEqual(['steps.a', 'steps.a.body', 'steps.a.body.x'])
  })
})
