import { expect, it } from 'vitest'
import { parseObject } from './json'

it.each([
  ['', {}],
  ['  \n', {}],
  ['{"a": [1]}', { a: [1] }],
  ['[1]', undefined],
  ['null', undefined],
  ['"a"', undefined],
  ['{a: 1}', undefined],
])('parseObject(%j) is %j', (text, expected) => {
  expect(parseObject(text)).toEqual(expected)
})
