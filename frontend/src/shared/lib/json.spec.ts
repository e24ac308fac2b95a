import { expect, it } from 'vitest'
import { jsonProblem, parseObject } from './json'

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

it.each([
  ['{"a": 1}', undefined],
  ['{"a": 1,\n "b": x}', { line: 2, column: 7 }],
  ['{"a": ', { line: 1, column: 7 }],
  ['{"a": 1,}', { line: 1, column: 9 }],
  ['{"a" 1}', { line: 1, column: 6 }],
  ["{'a': 1}", { line: 1, column: 2 }],
  ['[1 2]', { line: 1, column: 4 }],
  ['{"a": [1, {"b": null}]} x', { line: 1, column: 25 }],
  ['{"a": 01}', { line: 1, column: 8 }],
])('jsonProblem(%j) is %j', (text, expected) => {
  expect(jsonProblem(text)).toEqual(expected)
})
