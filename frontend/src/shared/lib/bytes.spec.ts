import { expect, it } from 'vitest'
import { formatBytes } from './bytes'

it.each([
  [0, '0 byte'],
  [999, '999 byte'],
  [1000, '1 kB'],
  [12_345_678, '12.3 MB'],
  [99_960_000, '100 MB'],
  [999_400_000, '999 MB'],
  [999_500_000, '1 GB'],
  [1_000_000_000_000, '1 TB'],
  [5_000_000_000_000_000, '5,000 TB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes, 'en')).toBe(text)
})

it('speaks Spanish', () => {
  expect(formatBytes(12_345_678, 'es')).toBe('12,3 MB')
})
