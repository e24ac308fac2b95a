import { beforeEach, expect, it } from 'vitest'
import { currentProject, inProject, may, placeOf, setMemberships } from './project'
import type { Membership } from './types'

const mine: Membership = {
  id: 'mine',
  name: 'Mine',
  role: 'owner',
  permissions: ['workflow.read', 'workflow.write', 'secret.write'],
}
const theirs: Membership = { id: 'theirs', name: 'Theirs', role: 'viewer', permissions: ['workflow.read'] }

beforeEach(() => {
  currentProject.value = undefined
  setMemberships([mine, theirs])
})

const address = async (request: Request) => (await inProject(request)).url.replace('http://orq/api/v1', '')
const get = (path: string) => new Request(`http://orq/api/v1${path}`)
const post = (path: string, body: object) =>
  new Request(`http://orq/api/v1${path}`, { method: 'POST', body: JSON.stringify(body) })

it('knows what may be done, in one project and in any', () => {
  expect(may('workflow.write')).toBe(true)
  expect(may('workflow.write', 'theirs')).toBe(false)
  currentProject.value = 'theirs'
  expect(may('workflow.write')).toBe(false)
  expect(may('workflow.read')).toBe(true)
})

it('leaves a project that is none of theirs any more', () => {
  currentProject.value = 'theirs'
  setMemberships([mine])
  expect(currentProject.value).toBeUndefined()
})

it.each([
  ['GET', '/runs', 'query'],
  ['GET', '/runs/1', undefined],
  ['GET', '/alert-rules', 'query'],
  ['POST', '/alert-channels', 'body'],
  ['POST', '/workflows/drafts', 'body'],
  ['PUT', '/secrets/token', 'query'],
  ['POST', '/workflows', 'body'],
  ['POST', '/workflows/1/runs', undefined],
])('%s %s takes its project from: %s', (method, path, place) => {
  expect(placeOf(method, path)).toBe(place)
})

it('asks for the lists of the chosen project, unless another is named', async () => {
  expect(await address(get('/runs?limit=5'))).toBe('/runs?limit=5')
  currentProject.value = 'theirs'
  expect(await address(get('/runs?limit=5'))).toBe('/runs?limit=5&project_id=theirs')
  expect(await address(get('/runs?project_id=mine'))).toBe('/runs?project_id=mine')
  expect(await address(get('/runs/1'))).toBe('/runs/1')
})

it('makes things in the chosen project, or where it may', async () => {
  const made = async (body: object) => (await inProject(post('/workflows', body))).json() as Promise<object>
  expect(await made({ name: 'x' })).toEqual({ name: 'x' })
  currentProject.value = 'theirs'
  expect(await made({ name: 'x' })).toEqual({ name: 'x', project_id: 'theirs' })
  expect(await made({ name: 'x', project_id: 'mine' })).toEqual({ name: 'x', project_id: 'mine' })
  currentProject.value = undefined
  setMemberships([{ ...theirs, role: 'editor', permissions: ['workflow.write'] }])
  expect(await made({ name: 'x' })).toEqual({ name: 'x', project_id: 'theirs' })
})
