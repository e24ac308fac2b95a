import { expect, it } from 'vitest'
import { fit, fitting, isID, type PaletteItem } from './palette'

const item = (label: string, words = ''): PaletteItem => ({ id: label, group: 'pages', label, words })

it('finds by beginnings of words, without accents, and all of them', () => {
  expect(fit(item('Configuración'), 'configuracion')).toBeGreaterThan(0)
  expect(fit(item('New workflow'), 'work new')).toBeGreaterThan(0)
  expect(fit(item('New workflow'), 'work old')).toBe(0)
  expect(fit(item('Settings', 'theme language'), 'lang')).toBeGreaterThan(0)
  expect(fit(item('Runs'), '')).toBeGreaterThan(0)
  expect(fit(item('Runs (all)'), '(')).toBeGreaterThan(0)
})

it('puts the best first, and equals in their order', () => {
  const items = [item('A workflow'), item('Workflows'), item('Rework')]
  expect(fitting(items, 'work').map(({ label }) => label)).toEqual(['Workflows', 'A workflow', 'Rework'])
  expect(fitting(items, '').map(({ label }) => label)).toEqual(['A workflow', 'Workflows', 'Rework'])
})

it('knows an id', () => {
  expect(isID(' 0192f0c1-0000-7000-8000-000000000000 ')).toBe(true)
  expect(isID('0192f0c1')).toBe(false)
})
