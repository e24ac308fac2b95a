import { expect, it } from 'vitest'
import { choicesOf } from './workflow-choices'

it('tells workflows of one name apart', () => {
  expect(
    choicesOf([
      { id: 'aaaaaa-111111', name: 'Backup' },
      { id: 'aaaaaa-222222', name: 'Backup' },
      { id: 'aaaaaa-333333', name: 'Report' },
    ]).map((choice) => choice.label),
  ).toEqual(['Backup (111111)', 'Backup (222222)', 'Report'])
})
