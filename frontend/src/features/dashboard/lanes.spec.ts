import { describe, expect, it } from 'vitest'
import { drawLanes, hourMarks } from './lanes'

const day = { from: '2026-11-25T10:00:00.000Z', to: '2026-11-26T10:00:00.000Z' }
const lane = { workflow_id: 'w', workflow_name: 'W', trigger_id: 't', timezone: 'UTC' }

describe('lanes', () => {
  it('stand where their time is', () => {
    const [drawn] = drawLanes({
      ...day,
      lanes: [{ ...lane, fires: ['2026-11-25T10:00:00.000Z', '2026-11-25T22:00:00.000Z'], more: false }],
    })
    expect(drawn?.fires.map((fire) => fire.left)).toEqual([0, 50])
    expect(drawn?.rest).toBeUndefined()
  })

  it('of triggers that fire very often say where their list ends', () => {
    const [drawn] = drawLanes({
      ...day,
      lanes: [{ ...lane, fires: ['2026-11-25T16:00:00.000Z'], more: true }],
    })
    expect(drawn?.rest).toBe(25)
  })

  it('have marks at full hours', () => {
    const marks = hourMarks({ from: '2026-11-25T10:20:00.000Z', to: '2026-11-26T10:20:00.000Z' }, 6, 'en')
    expect(marks).toHaveLength(4)
    for (const mark of marks) expect(mark.label).toMatch(/^(00|06|12|18):00$/)
  })
})
