import { expect, it } from 'vitest'
import { entriesOf } from './addresses'

it('reads one entry of each line, and of each part between commas', () => {
  expect(entriesOf('a.example.com\n\n  *.example.org  ,10.0.0.0/8\n')).toEqual([
    'a.example.com',
    '*.example.org',
    '10.0.0.0/8',
  ])
  expect(entriesOf(' \n,')).toEqual([])
})
