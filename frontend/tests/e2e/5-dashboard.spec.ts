import {
  expect,
  expectAccessible,
  httpStep,
  logIn,
  logStep,
  makeWorkflow,
  refusal,
  startRun,
  test,
  uniqueName,
} from './support'

test.beforeEach(async ({ page }) => logIn(page))

test('the dashboard counts runs as they end, and each mark leads to what it counts', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Counted'), {
    triggers: [{ id: 'soon', type: 'schedule', cron: '0 */6 * * *', timezone: 'Europe/Madrid' }],
    steps: [httpStep('/fail')],
  })
  await startRun(page, workflow.id)
  const stream = page.waitForResponse((response) => response.url().includes('/api/v1/events'))
  await page.goto('/?period=24h')
  await stream // what ends before it begins is told by no event
  const chart = page.getByRole('region', { name: 'Runs per hour' })
  const mark = chart.getByRole('link', { name: /failed/ }).last()
  await expect(mark).toBeVisible()
  // Over all marks, since an hour may end meanwhile.
  const failed = () =>
    chart
      .getByRole('link', { name: /failed/ })
      .evaluateAll((marks) =>
        marks.reduce(
          (n, mark) => n + Number(/(\d+) failed/.exec(mark.getAttribute('aria-label') ?? '')?.[1]),
          0,
        ),
      )
  const before = await failed()
  expect(before).toBeGreaterThan(0)

  // It follows by itself.
  await startRun(page, workflow.id)
  await expect.poll(failed, { timeout: 20_000 }).toBe(before + 1)

  // A workflow that fails stands under what needs attention, and so does what comes next.
  const attention = page.getByRole('region', { name: 'Needs attention' })
  const more = attention.getByRole('button', { name: /Show all/ })
  if (await more.isVisible()) await more.click()
  await expect(attention.getByRole('link', { name: workflow.name })).toBeVisible()
  await expect(page.getByRole('region', { name: 'The next 24 hours' })).toContainText(workflow.name)

  // The table holds the same numbers.
  await chart.getByRole('button', { name: 'Show as a table' }).click()
  const column = await chart
    .locator('tbody tr')
    .evaluateAll((rows) => rows.map((row) => Number(row.querySelector('td')?.textContent)))
  expect(column.reduce((n, hour) => n + hour, 0)).toBe(before + 1)
  await expectAccessible(page, 'the dashboard with a table')
  await chart.getByRole('button', { name: 'Show the chart' }).click()

  // By keyboard: one stop for the Tab key, arrows inside.
  await chart.getByRole('button', { name: 'Show as a table' }).focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('End')
  await expect(chart.getByRole('link').last()).toBeFocused()
  await page.keyboard.press('Home')
  await expect(chart.getByRole('link').first()).toBeFocused()
  await mark.focus()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/runs\?.*status=failed/)
  await expect(page.getByRole('row').nth(1)).toBeVisible()
})

test('the queue page shows queues, workers and hosts, and administrators change them', async ({ page }) => {
  const slow = await makeWorkflow(page, uniqueName('Takes its time'), { steps: [httpStep('/slow')] })
  const id = await startRun(page, slow.id, { wait: false })
  await page.goto('/queue')
  const workers = page.getByRole('region', { name: 'Workers' })
  await expect(workers.getByRole('link', { name: slow.name })).toBeVisible({ timeout: 20_000 })
  await expect(workers).toContainText('at fetch')

  const bulk = page.getByRole('region', { name: 'Bulk' })
  await bulk.getByRole('button', { name: /Pause/ }).click()
  const dialog = page.getByRole('dialog')
  await expectAccessible(page, 'pausing a queue')
  await dialog.getByRole('button', { name: 'Pause' }).click()
  await expect(bulk).toContainText('Paused by Ana')
  const waiting = await makeWorkflow(page, uniqueName('Waits'), { queue: 'bulk', steps: [logStep('hello')] })
  const held = await startRun(page, waiting.id, { wait: false })
  await expect(bulk).toContainText(/Waiting for a worker\s*1/, { timeout: 20_000 })
  await bulk.getByRole('button', { name: /Resume/ }).click()
  await expect(bulk.getByText('Paused by Ana')).toBeHidden()
  await expect
    .poll(
      async () =>
        ((await (await page.request.get(`/api/v1/runs/${held}`)).json()) as { status: string }).status,
    )
    .toBe('succeeded')

  await bulk.getByRole('button', { name: /Limit/ }).click()
  await dialog.getByLabel('Most runs at a time').fill('many')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog.getByText('Enter a whole number.')).toBeVisible()
  await dialog.getByLabel('Most runs at a time').fill('7')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(bulk).toContainText('0 of 7')
  await bulk.getByRole('button', { name: /Limit/ }).click()
  await dialog.getByLabel('Most runs at a time').fill('')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(bulk.getByText('0 of 7')).toBeHidden()

  const hosts = page.getByRole('region', { name: 'Called hosts' })
  await hosts.getByRole('button', { name: 'Limit a host' }).click()
  await dialog.getByLabel('Host').fill('not a host')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog.getByLabel('Host')).toHaveAttribute('aria-invalid', 'true')
  await dialog.getByLabel('Host').fill('api.example.com')
  await dialog.getByLabel('Calls per second').fill('0,5')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(hosts).toContainText('0.5 per second')
  await hosts.getByRole('button', { name: /Remove limits api.example.com/ }).click()
  await expect(hosts.getByRole('listitem').filter({ hasText: 'api.example.com' })).toHaveCount(0)
  await page.request.post(`/api/v1/runs/${id}/cancel`)
})

test('every part of the dashboard says what went wrong, and tries again', async ({ page, context }) => {
  const parts = /\/api\/v1\/(stats|overview)/
  await page.route(parts, (route) => route.fulfill(refusal('Not now', { code: 'validation_failed' })))
  await page.goto('/')
  await expect(page.getByText('Not now')).toHaveCount(2)
  const again = page.getByRole('button', { name: 'Try again' })
  for (const [i, part] of ['stats', 'overview'].entries()) {
    const asked = page.waitForRequest((request) => request.url().includes(`/api/v1/${part}`))
    await again.nth(i).click()
    await asked
  }
  await page.unrouteAll()
  // What is read again by itself meanwhile, when something happens, needs no button any more.
  await expect(async () => {
    if ((await again.count()) > 0) await again.first().click({ timeout: 1000 })
    await expect(again).toHaveCount(0, { timeout: 1000 })
  }).toPass({ timeout: 20_000 })
  await expect(page.getByRole('region', { name: 'Runs per day' })).toBeVisible()

  // So does every part of the queue page.
  await page.route(/\/api\/v1\/(queues|workers|hosts)/, (route) => route.fulfill(refusal('Not now')))
  await page.goto('/queue')
  await expect(page.getByText('Not now')).toHaveCount(3)
  await page.unrouteAll()
  await expect(page.getByRole('region', { name: 'Workers' })).toBeVisible() // it looks again by itself
  await page.goto('/')
  await expect(page.getByRole('region', { name: 'Runs per day' })).toBeVisible()
  await context.setOffline(true)
  await page.getByLabel('Period').selectOption('7d')
  await expect(page.getByText('The server cannot be reached.')).toBeVisible()
  await context.setOffline(false)
  await expect(page.getByText('The server cannot be reached.')).toBeHidden()
})
