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

test('many runs are chosen by keyboard, run again, and cancelled', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Many'), { steps: [httpStep('/fail')] })
  for (let i = 0; i < 3; i++) await startRun(page, workflow.id)
  await page.goto(`/runs?workflow=${workflow.id}`)
  await expect(page.getByRole('row')).toHaveCount(4)
  const links = page.getByRole('row').getByRole('link')
  await links.first().focus()
  await page.keyboard.press('Space')
  await page.keyboard.press('Shift+ArrowDown')
  await expect(page.getByRole('status').filter({ hasText: '2 chosen' })).toBeVisible()
  await expectAccessible(page, 'runs that are chosen')
  await page.keyboard.press('Escape')
  await expect(page.getByText('2 chosen')).toBeHidden()
  await links.first().focus()
  await page.keyboard.press('Control+a')
  await expect(page.getByText('3 chosen')).toBeVisible()

  await page.getByRole('button', { name: 'Rerun from the failed step (3)' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog).toContainText('Rerun 3 runs')
  await dialog.getByRole('button', { name: 'Rerun them' }).click()
  await expect(page.getByText('3 new runs were started')).toBeVisible()
  await expect(dialog).toBeHidden()

  const slow = await makeWorkflow(page, uniqueName('Slow ones'), { steps: [httpStep('/slow')] })
  for (let i = 0; i < 2; i++) await startRun(page, slow.id, { wait: false })
  await page.goto(`/workflows/${slow.id}`)
  await page.getByLabel('Choose all that are listed').check()
  await page.getByRole('button', { name: 'Cancel (2)' }).click()
  await dialog.getByRole('button', { name: 'Cancel them' }).click()
  await expect(page.getByText('2 runs are being cancelled')).toBeVisible()
  await expect(page.getByRole('row').filter({ hasText: 'Cancelled' })).toHaveCount(2)
})

test('the calendar and the durations narrow the list, and a view keeps that', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Dated'), { steps: [logStep('hello')] })
  await startRun(page, workflow.id)
  await page.goto(`/runs?workflow=${workflow.id}`)
  const calendar = page.getByRole('region', { name: 'The last year, day by day' })
  await calendar.getByRole('link', { name: /: 1 run, 0 failed/ }).click()
  await expect(page).toHaveURL(/from=.*&to=/)
  await expect(page.getByRole('row')).toHaveCount(2)
  await expect(page.getByLabel('From')).not.toHaveValue('')

  const durations = page.getByRole('region', { name: 'How long they took' })
  await durations.getByRole('link', { name: /1 succeeded/ }).click()
  await expect(page).toHaveURL(/min=/)
  await expect(page.getByRole('row')).toHaveCount(2)
  await expect(page.getByRole('button', { name: /Took/ })).toBeVisible()

  await page.getByRole('button', { name: 'Views' }).click()
  await page.getByRole('menuitem', { name: 'Save these filters…' }).click()
  await page.getByLabel('Name', { exact: true }).fill('Just this one')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await expect(page).toHaveURL(/\/runs$/)
  await page.reload()
  await page.getByRole('button', { name: 'Views' }).click()
  await page.getByRole('menuitem', { name: 'Just this one' }).click()
  await expect(page).toHaveURL(new RegExp(`workflow=${workflow.id}`))
  await expect(page.getByRole('row')).toHaveCount(2)
  await page.getByRole('button', { name: 'Just this one' }).click()
  await page.getByRole('menuitem', { name: 'Remove “Just this one”' }).click()

  // A period without runs, and one that only the address can hold.
  await page.goto(`/runs?workflow=${workflow.id}&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z`)
  await expect(page.getByText('No run matches')).toBeVisible()
  await page.goto('/runs?from=yesterday&min=much')
  await expect(page.getByRole('row').nth(1)).toBeVisible()
})

test('a run is seen as a graph and beside its last success', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Compared'), {
    steps: [
      { ...logStep('{{ inputs.base }}'), id: 'first', name: 'First' },
      { ...httpStep('/ok'), depends_on: ['first'], if: 'inputs.base == "EUR"' },
      { ...httpStep('/fail'), id: 'last', name: 'Last', depends_on: ['first'], if: 'inputs.base != "EUR"' },
    ],
  })
  const start = async (base: string) => {
    const answer = await page.request.post(`/api/v1/workflows/${workflow.id}/runs`, {
      data: { inputs: { base } },
    })
    const { id } = (await answer.json()) as { id: string }
    await expect
      .poll(
        async () =>
          ((await (await page.request.get(`/api/v1/runs/${id}`)).json()) as { status: string }).status,
      )
      .toMatch(/succeeded|failed/)
    return id
  }
  const good = await start('EUR')
  const bad = await start('USD')
  await page.goto(`/runs/${bad}`)
  await expect(page.getByRole('heading', { name: 'Last' })).toBeVisible()
  await page.getByRole('button', { name: 'Graph' }).click()
  await expect(page).toHaveURL(/view=graph/)
  const graph = page.getByRole('group', { name: 'Steps as a graph' })
  await expect(graph.getByRole('button')).toHaveCount(3)
  await graph.getByRole('button', { name: /Last/ }).focus()
  await page.keyboard.press('Home')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'First' })).toBeVisible()

  await page.getByRole('button', { name: 'Compare' }).click()
  await expect(page.getByText('Beside the last success')).toBeVisible()
  await expect(page.getByRole('row', { name: /base/ })).toContainText('"USD"')
  await expect(page.getByRole('row', { name: /base/ })).toContainText('"EUR"')
  await page.getByText('Beside the last success').getByRole('link').click()
  await expect(page).toHaveURL(new RegExp(good))
})

test('a run is repeated with other inputs, from any step', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Repeated'), {
    steps: [
      logStep('{{ inputs.base ?? "none" }}'),
      { ...logStep('after'), id: 'after', depends_on: ['note'] },
    ],
  })
  const id = await startRun(page, workflow.id)
  await page.goto(`/runs/${id}`)
  await page.getByRole('button', { name: 'Rerun', exact: true }).click()
  await page.getByRole('menuitem', { name: 'With other inputs' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Begin').selectOption({ label: 'From “after”' })
  await dialog.getByLabel('Inputs (JSON)').fill('{"base": }')
  await dialog.getByRole('button', { name: 'Rerun' }).click()
  await expect(dialog.getByText('line 1, column 10')).toBeVisible()
  await dialog.getByLabel('Inputs (JSON)').fill('{"base": "USD"}')
  await expectAccessible(page, 'rerun with choices')
  await dialog.getByRole('button', { name: 'Rerun' }).click()
  await expect(page).not.toHaveURL(new RegExp(id))
  await expect(page.getByText('Repeats an earlier run')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Inputs' }).first()).toContainText('USD')
})

test('each attempt has its logs, and each line has a link', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Tries'), {
    steps: [httpStep('/flaky', { retry: { attempts: 4, initial: '50ms', backoff: 'fixed' } })],
  })
  const id = await startRun(page, workflow.id)
  await page.goto(`/runs/${id}`)
  await page.getByRole('button', { name: 'Logs of attempt 2' }).click()
  await expect(page).toHaveURL(/logs=fetch%232|logs=fetch#2/)
  await expect(page.getByLabel('Step', { exact: true })).toHaveValue('fetch#2')
  const log = page.getByRole('log')
  const lines = log.getByRole('link')
  const n = await lines.count()
  await page.getByLabel('Step', { exact: true }).selectOption('')
  await expect.poll(() => lines.count()).toBeGreaterThan(n)
  await lines.first().focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/line=2/)
  await page.reload()
  await expect(log.locator('[data-line="1"]').locator('..')).toHaveClass(/bg-accent-soft/)

  // Logs that cannot be had say so, apart from the rest of the page.
  await page.route(/\/logs\?/, (route) => route.fulfill(refusal('No logs now')))
  await page.reload()
  await expect(page.getByRole('alert')).toContainText('No logs now')
  await page.unrouteAll()
  await page.getByRole('alert').getByRole('button', { name: 'Try again' }).click()
  await expect(lines.first()).toBeVisible()

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ])
  expect(download.suggestedFilename()).toBe(`run-${id}.log`)
})

test('a cancelled run says how long that may take, and a held one asks for a decision', async ({ page }) => {
  const slow = await makeWorkflow(page, uniqueName('Ends'), { steps: [httpStep('/slow')] })
  const id = await startRun(page, slow.id, { wait: false })
  // What only a lost worker brings about comes from the answer here.
  let resolved: unknown
  const run = async () =>
    (await (await page.request.get(`/api/v1/runs/${id}`)).json()) as Record<string, unknown>
  const given = await run()
  await page.request.post(`/api/v1/runs/${id}/cancel`)
  const step = {
    ...(given.steps as Record<string, unknown>[])[0],
    status: 'held',
    error: 'the worker was lost; did it happen?',
  }
  await page.route(`**/api/v1/runs/${id}`, (route) =>
    route.fulfill({
      json: { ...given, status: 'held', cancel_requested_at: null, reason: 'did it happen?', steps: [step] },
    }),
  )
  await page.route('**/api/v1/events*', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: ': nothing\n\n' }),
  )
  await page.route(`**/api/v1/runs/${id}/resolve`, (route) => {
    resolved = route.request().postDataJSON()
    const errors = [{ pointer: '/output', code: 'too_large', message: 'the output is too large' }]
    return route.fulfill(refusal('x', { code: 'validation_failed', errors }))
  })
  await page.goto(`/runs/${id}`)
  await expect(page.getByText('Nobody knows whether “Fetch the rate” happened')).toBeVisible()
  await page.getByRole('button', { name: 'Decide…' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Decide' }).click()
  await expect(dialog.getByText('Choose one of them.')).toBeVisible()
  await dialog.getByLabel(/It happened/).check()
  await dialog.getByLabel('What it answered').fill('{"status": 200')
  await dialog.getByRole('button', { name: 'Decide' }).click()
  await expect(dialog.getByText('This is not valid JSON')).toBeVisible()
  await dialog.getByLabel('What it answered').fill('{"status": 200}')
  await dialog.getByLabel('Note').fill('seen at the bank')
  await expectAccessible(page, 'deciding about a step')
  await dialog.getByRole('button', { name: 'Decide' }).click()
  await expect(dialog.getByText('the output is too large')).toBeVisible() // the server's word, at its field
  expect(resolved).toEqual({
    step: 'fetch',
    decision: 'succeeded',
    output: { status: 200 },
    note: 'seen at the bank',
  })

  await page.unroute(`**/api/v1/runs/${id}`)
  await page.route(`**/api/v1/runs/${id}`, (route) =>
    route.fulfill({ json: { ...given, status: 'running', cancel_requested_at: new Date().toISOString() } }),
  )
  await page.reload()
  await expect(page.getByRole('progressbar', { name: 'This run is being cancelled' })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Cancel run' })).toBeDisabled()
})

test('a workflow is found by a part of its name', async ({ page }) => {
  const workflow = await makeWorkflow(page, uniqueName('Needle in the hay'), { steps: [logStep('hello')] })
  await startRun(page, workflow.id)
  await page.goto('/runs')
  const field = page.getByRole('combobox', { name: 'Workflow' })
  await field.fill('needle in the')
  await expect(page.locator(`datalist option[value="${workflow.name}"]`)).toBeAttached()
  await field.fill(workflow.name)
  await expect(page).toHaveURL(new RegExp(`workflow=${workflow.id}`))
  await expect(page.getByRole('row')).toHaveCount(2)
  await page.reload()
  await expect(field).toHaveValue(workflow.name)
  await field.fill('no such thing')
  await field.blur()
  await expect(field).toHaveValue(workflow.name) // what was chosen stays chosen
  await field.fill('')
  await expect(page).not.toHaveURL(/workflow=/)
})
