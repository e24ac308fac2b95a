// What starts a workflow besides the clock: a request, the end of another workflow's run, a ping that does not come.
import {
  expect,
  expectAccessible,
  expectNoOverflow,
  logIn,
  logStep,
  makeWorkflow,
  startRun,
  test,
  uniqueName,
} from './support'

test.beforeEach(({ page }) => logIn(page))

test('a webhook: made in the editor, called, looked into, run again, and moved', async ({ page }) => {
  const name = uniqueName('Hook')
  await page.goto('/workflows/new')
  await page.getByLabel('Name', { exact: true }).first().fill(name)
  await page.getByLabel('What starts it').selectOption({ label: 'A webhook' })
  await page.getByLabel('The same thing twice').selectOption({ label: 'When a header is the same' })
  await page.getByLabel('Header', { exact: true }).fill('X-Event-Id')
  await page.getByLabel('Only when').fill('inputs.body.action == "opened"')
  await expectAccessible(page, 'the editor with a webhook')
  await page.getByLabel('URL', { exact: true }).fill(process.env.ORQ_E2E_SINK + '/ok')
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await expect(page.getByRole('heading', { name })).toBeVisible()
  await page.getByRole('link', { name: 'Definition' }).click()

  const panel = page.getByRole('region', { name: 'Webhook trigger' })
  await expect(panel).toContainText('Nothing has arrived yet')
  const address = (await panel.getByRole('region', { name: 'Address' }).textContent())?.trim() ?? ''
  expect(address).toContain('/hooks/')
  await panel.getByText('Example for the terminal', { exact: true }).click()
  await expect(panel.getByRole('region', { name: 'Example for the terminal' })).toContainText(address)

  // Another service calls: once, the same again, and something that is not wanted.
  const send = (id: string, data: object) =>
    page.request.post(address, { data, headers: { 'X-Event-Id': id } })
  const first = await send('1', { action: 'opened', number: 7 })
  expect(first.status(), await first.text()).toBe(202)
  const { run_id: run } = (await first.json()) as { run_id: string }
  expect(((await (await send('1', { action: 'opened' })).json()) as { run_id: string }).run_id).toBe(run)
  expect((await send('2', { action: 'closed' })).status()).toBe(202)
  await page.request.post(address, {
    data: Buffer.from('{'),
    headers: { 'Content-Type': 'application/json' },
  })

  await panel.getByRole('button', { name: 'Refresh' }).click()
  const items = panel.getByRole('list', { name: 'What arrived' }).getByRole('listitem')
  await expect(items).toHaveCount(4)
  await expect(items.filter({ hasText: 'Refused' })).toContainText('JSON')
  await expect(items.filter({ hasText: 'Filtered out' })).toContainText('filter')
  await expectAccessible(page, 'the definition with deliveries')
  await expectNoOverflow(page, 'the definition with deliveries')
  await page.setViewportSize({ width: 390, height: 844 })
  await expectNoOverflow(page, 'the definition with deliveries on a phone')
  await expectAccessible(page, 'the definition with deliveries on a phone')
  await page.setViewportSize({ width: 1440, height: 900 })
  await panel.getByLabel('What became of it').selectOption('accepted')
  await expect(items).toHaveCount(1)

  await items.first().getByRole('button', { name: 'Look' }).click()
  const dialog = page.getByRole('dialog', { name: 'Delivery' })
  await expect(dialog.getByRole('region', { name: 'Body' })).toContainText('"number": 7')
  await expect(dialog.getByRole('region', { name: 'Headers' })).toContainText('x-event-id')
  await dialog.getByRole('button', { name: 'Close' }).click()

  await items.first().getByRole('button', { name: 'Run again' }).click()
  await expect(page.getByText('It runs again.')).toBeVisible()
  await expect(items).toHaveCount(2)
  await expect(items.first()).toContainText('Run again by Ana')

  await panel.getByRole('button', { name: 'New address…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'New address…' }).click()
  await expect(page.getByText('It has a new address.')).toBeVisible()
  await expect(panel.getByRole('region', { name: 'Address' })).not.toHaveText(address)

  await items.last().getByRole('link', { name: 'Open run' }).click()
  await expect(page.getByText('Webhook call')).toBeVisible()
  await expect(page.getByText('Succeeded').first()).toBeVisible()
})

test('a workflow after another', async ({ page }) => {
  const [first, then] = [uniqueName('First'), uniqueName('Then')]
  const { id } = await makeWorkflow(page, first, { steps: [logStep('hello')] })
  await page.goto('/workflows/new')
  await page.getByLabel('Name', { exact: true }).first().fill(then)
  await page.getByLabel('What starts it').selectOption({ label: 'After another workflow' })
  await page.getByLabel('URL', { exact: true }).fill(process.env.ORQ_E2E_SINK + '/ok')
  await page.getByLabel('After the workflow').fill('no such workflow')
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await expect(page.getByText('the project has no workflow').first()).toBeVisible()
  await page.getByLabel('After the workflow').fill(first)
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await expect(page.getByRole('heading', { name: then })).toBeVisible()
  await startRun(page, id)
  await expect(page.getByText('After a workflow').first()).toBeVisible()
  await page.getByRole('table').getByRole('link').first().click()
  await page.getByRole('link', { name: 'Came after another run' }).click()
  await expect(page.getByRole('heading', { name: first })).toBeVisible()
})

test('a heartbeat that is late, and comes again', async ({ page }) => {
  const name = uniqueName('Nightly job')
  await page.goto('/workflows/new')
  await page.getByLabel('Name', { exact: true }).first().fill(name)
  await page.getByLabel('What starts it').selectOption({ label: 'A missing heartbeat' })
  await page.getByLabel('Interval', { exact: true }).fill('5s')
  await page.getByLabel('How late it may be').fill('1s')
  await page.getByLabel('Run it again when pings come back').check()
  await expectAccessible(page, 'the editor with a heartbeat')
  await page.getByLabel('URL', { exact: true }).fill(process.env.ORQ_E2E_SINK + '/ok')
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await expect(page.getByRole('heading', { name })).toBeVisible()
  await page.getByRole('link', { name: 'Definition' }).click()
  const panel = page.getByRole('region', { name: 'Heartbeat trigger' })
  await expect(panel).toContainText('Waiting for the first ping')
  const address = (await panel.getByRole('region', { name: 'Ping address' }).textContent())?.trim() ?? ''
  expect(await (await page.request.get(address)).text()).toBe('OK')
  await expect(panel).toContainText('Late since', { timeout: 30_000 })
  await expectAccessible(page, 'a late heartbeat')
  expect((await page.request.post(`${address}/0`, { data: 'backup done' })).status()).toBe(200)
  await expect(panel).toContainText('backup done', { timeout: 30_000 })
  await page.getByRole('link', { name: 'Schedule log' }).click()
  await expect(page.getByText('No ping came in time').first()).toBeVisible()
  await expect(page.getByText('Pings came again').first()).toBeVisible()
  const { id } = (await (await page.request.get('/api/v1/workflows?q=' + encodeURIComponent(name))).json())
    .items[0]
  await page.request.post(`/api/v1/workflows/${id}/disable`)
})
