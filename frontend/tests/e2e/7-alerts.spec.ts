// Alerts, from the channel to the message that arrives: a workflow breaks, and is mended.
import type { Page } from '@playwright/test'
import {
  expect,
  expectAccessible,
  expectNoOverflow,
  httpStep,
  logIn,
  makeWorkflow,
  sink,
  startRun,
  test,
  uniqueName,
} from './support'

test.beforeEach(({ page }) => logIn(page))

/** What arrived at the sink. */
const sent = async (page: Page, inbox: string) =>
  (await (await page.request.get(inbox)).json()) as { kind: string; title: string; step: string }[]

test('a channel is made, and tried until it works', async ({ page }) => {
  const channel = uniqueName('Hook')
  const inbox = `${sink}/inbox/${encodeURIComponent(channel)}`

  await page.goto('/')
  await page.getByRole('button', { name: 'Account and settings' }).first().click()
  await page.getByRole('menuitem', { name: 'Alerts' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Alerts' })).toBeVisible()
  await page.getByRole('button', { name: 'Channels' }).click()
  await page.getByRole('button', { name: 'New channel' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill(channel)
  await dialog.getByLabel('How it is sent').selectOption({ label: 'Your own webhook (HTTP)' })
  await dialog.getByLabel('URL').fill('ftp://nowhere')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog.getByText('the URL must begin with http:// or https://')).toBeVisible()
  await dialog.getByLabel('URL').fill(`${sink}/fail`)
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog).toBeHidden()

  // The test says why it did not arrive; mended, it does.
  const row = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: channel }) })
  await row.getByRole('button', { name: 'Send a test' }).click()
  await expect(row.getByText('The test did not arrive')).toBeVisible()
  await expect(row.getByRole('status')).toContainText('500')
  await row.getByRole('button', { name: 'Edit' }).click()
  await dialog.getByLabel('URL').fill(inbox)
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog).toBeHidden()
  await row.getByRole('button', { name: 'Send a test' }).click()
  await expect(row.getByText('The test was sent')).toBeVisible()
  expect((await sent(page, inbox)).map(({ kind }) => kind)).toEqual(['test'])
})

test('a rule is made, a workflow breaks, and the alert arrives', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Import of the rates'), { steps: [httpStep('/fail')] })
  const inbox = `${sink}/inbox/${workflow.id}`
  const channel = uniqueName('Hook')
  const made = await page.request.post('/api/v1/alert-channels', {
    data: { name: channel, action: 'http_endpoint', config: { url: inbox } },
  })
  expect(made.status(), await made.text()).toBe(201)
  await page.goto('/alerts')
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Rules' }).click()
  await page.getByRole('button', { name: 'New rule' }).click()
  const rule = uniqueName('Rates')
  await dialog.getByLabel('Name').fill(rule)
  await dialog.getByLabel('Only chosen ones').check()
  await dialog.getByLabel('Find a workflow').fill(workflow.name)
  await dialog.getByRole('checkbox', { name: workflow.name }).check()
  await dialog.getByRole('checkbox', { name: channel }).check()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { name: rule })).toBeVisible()

  await startRun(page, workflow.id)
  await expect.poll(async () => (await sent(page, inbox)).map(({ kind }) => kind)).toEqual(['failure'])
  expect((await sent(page, inbox))[0]).toMatchObject({ title: `${workflow.name} failed`, step: 'fetch' })
  await page.getByRole('button', { name: 'Log' }).click()
  const entry = page.getByRole('listitem').filter({ hasText: `${workflow.name} failed` })
  await expect(entry).toContainText('Delivered')
  await entry.getByText(`${workflow.name} failed`).click()
  await expect(entry).toContainText('Step fetch')
  await expect(entry.getByRole('link', { name: 'Open the run' })).toBeVisible()
  await expectAccessible(page, 'an alert')
  await page.setViewportSize({ width: 390, height: 844 })
  await expectNoOverflow(page, 'an alert on a phone')
  await page.setViewportSize({ width: 1440, height: 900 })

  await startRun(page, workflow.id) // it was told already
  const mended = { name: workflow.name, steps: [httpStep('/ok')] }
  const saved = await page.request.put(`/api/v1/workflows/${workflow.id}`, { data: mended })
  expect(saved.status(), await saved.text()).toBe(200)
  await startRun(page, workflow.id)
  await expect
    .poll(async () => (await sent(page, inbox)).map(({ kind }) => kind))
    .toEqual(['failure', 'recovery'])
  await expect(page.getByText(`${workflow.name} succeeded again`)).toBeVisible()
})

test('a workflow shows what is told of it, and is muted for a time', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Muted'), { steps: [httpStep('/ok')] })
  await page.goto(`/workflows/${workflow.id}/definition`)
  const panel = page.getByRole('region', { name: 'Alerts' })
  await panel.getByLabel('For how long it is muted').selectOption('8 hours')
  await panel.getByRole('button', { name: 'Mute' }).click()
  await expect(panel.getByText('Muted until')).toBeVisible()
  await expectAccessible(page, 'a muted workflow')
  await panel.getByRole('button', { name: 'Unmute' }).click()
  await expect(panel.getByRole('button', { name: 'Mute' })).toBeVisible()
})
