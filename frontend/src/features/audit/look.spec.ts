import { describe, expect, it } from 'vitest'
import { changesOf, kindsOf, pageOf } from './look'
import type { AuditEntry } from '@/shared/api/types'

const entry = (action: string, id = 'x', project: string | null = null) =>
  ({ action, project_id: project, object: { kind: action.split('.')[0], id, name: 'n' } }) as AuditEntry

describe('an entry of the audit log', () => {
  it('shows what was, and what is, member by member', () => {
    expect(
      changesOf({
        before: { name: 'a', gone: 1 },
        after: { name: 'b', list: ['x', 'y'], on: true, no: null },
      }),
    ).toEqual([
      { name: 'gone', before: '1' },
      { name: 'list', after: 'x\ny' },
      { name: 'name', before: 'a', after: 'b' },
      { name: 'no', after: 'null' },
      { name: 'on', after: 'true' },
    ])
    expect(changesOf({ before: null, after: { changed: ['/name'] } })).toEqual([
      { name: 'changed', after: '/name', names: true },
    ])
    expect(changesOf({ before: null, after: null })).toEqual([])
  })

  it('leads to what was changed, as long as that may be there', () => {
    expect(pageOf(entry('workflow.update', '7'))).toEqual({ name: 'workflow', params: { id: '7' } })
    expect(pageOf(entry('workflow.delete', '7'))).toBeUndefined()
    expect(pageOf(entry('run.cancel', '7'))).toEqual({ name: 'run', params: { id: '7' } })
    expect(pageOf(entry('member.role', '7', 'p'))).toEqual({ name: 'project', params: { id: 'p' } })
    expect(pageOf(entry('invitation.create'))).toBeUndefined()
    expect(pageOf(entry('something.new'))).toBeUndefined()
  })

  it('is looked for by kinds, those of the installation only there', () => {
    expect(kindsOf(false)).toContain('session')
    expect(kindsOf(true)).not.toContain('session')
    expect(kindsOf(true)).toContain('secret')
  })
})
