import { describe, expect, it } from 'vitest'
import { ApiError, nearestPointer, pointerParts, problemsAt, toApiError } from './problem'

describe('toApiError', () => {
  it('keeps what a problem+json says', () => {
    const error = toApiError(
      {
        type: 'about:blank',
        title: 'Invalid',
        status: 422,
        code: 'validation_failed',
        detail: 'The input is not valid',
        errors: [{ pointer: '/name', code: 'required', message: 'needed' }],
      },
      422,
    )
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({ status: 422, code: 'validation_failed', message: 'The input is not valid' })
    expect(error.fields).toHaveLength(1)
    expect(error.unreachable).toBe(false)
    expect(toApiError(error)).toBe(error)
  })
  it.each([
    [new TypeError('Failed to fetch'), 0, 'unreachable'],
    ['<html>', 502, 'unknown'],
    [undefined, 401, 'unauthorized'],
    [{ status: 'x', code: 1 }, 500, 'unknown'],
  ])('makes one of %s with status %i: %s', (cause, status, code) => {
    expect(toApiError(cause, status)).toMatchObject({ status, code })
  })
})

describe('from a pointer to a field', () => {
  const problem = (pointer: string) => ({ pointer, code: 'c', message: 'm' })
  const problems = ['/steps/1', '/steps/1/config/headers/Accept', '/steps/10/name', '/name'].map(problem)

  it('problemsAt gathers the field and what is inside, not what only begins alike', () => {
    expect(problemsAt(problems, '/steps/1').map((p) => p.pointer)).toEqual([
      '/steps/1',
      '/steps/1/config/headers/Accept',
    ])
    expect(problemsAt(problems, '/steps/1/config/headers')).toHaveLength(1)
    expect(problemsAt(problems, '/steps/1/config/head')).toHaveLength(0)
  })

  it.each([
    ['/steps/1/config/headers/Accept', '/steps/1/config/headers'],
    ['/steps/1/config/unknown', '/steps/1'],
    ['/steps/10/name', undefined],
    ['/name', '/name'],
    ['', undefined],
  ])('nearestPointer(%j) is %s', (wanted, expected) => {
    expect(nearestPointer(wanted, ['/name', '/steps/1', '/steps/1/config/headers'])).toBe(expected)
  })

  it('pointerParts unescapes', () => {
    expect(pointerParts('/a~1b/0/m~0n')).toEqual(['a/b', '0', 'm~n'])
    expect(pointerParts('')).toEqual([])
  })
})
