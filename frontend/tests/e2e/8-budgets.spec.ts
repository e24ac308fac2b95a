// What stays smooth, however much there is.
import { click, expectSmooth, press, settle, shown } from './smooth'
import { expect, httpStep, logIn, logStep, makeWorkflow, startRun, test, uniqueName } from './support'

test.describe.configure({ retries: 2 }) // other programs share the machine; a slow page is slow each time

test('a list of 1,000 runs out of millions', async ({ page }) => {
  await logIn(page)
  const workflow = await makeWorkflow(page, uniqueName('Template of a row'), { steps: [logStep('hello')] })
  const id = await startRun(page, workflow.id)
  const { items } = (await (await page.request.get(`/api/v1/runs?workflow_id=${workflow.id}`)).json()) as {
    items: Record<string, unknown>[]
  }
  let given = 0
  await page.route(/\/api\/v1\/runs\?/, (route) => {
    const made = Date.parse('2026-11-25T10:00:00Z')
    const rows = Array.from({ length: 200 }, () => {
      const n = given++
      const at = (more: number) => new Date(made - n * 1000 + more).toISOString()
      return {
        ...items[0],
        id: id.slice(0, 24) + n.toString(16).padStart(12, '0'),
        status: n % 7 === 3 ? 'failed' : 'succeeded',
        created_at: at(0),
        started_at: at(20),
        finished_at: at(20 + n * 13),
      }
    })
    return route.fulfill({ json: { items: rows, next_cursor: given < 5_000_000 ? `c${given}` : null } })
  })
  await page.goto('/runs')
  await expect(page.getByRole('row')).toHaveCount(201)
  for (let n = 2; n <= 5; n++) {
    await page.getByRole('button', { name: 'Load more' }).click()
    await expect(page.getByRole('row')).toHaveCount(n * 200 + 1)
  }
  await settle(page)
  await expectSmooth(page, 'the list of runs', async () => {
    await click(page, page.getByRole('row').nth(500).getByRole('checkbox'))
    await click(page, page.getByRole('row').nth(520).getByRole('checkbox'), { held: 'Shift' })
    await expect(page.getByText('21 chosen')).toBeVisible()
    await page.getByRole('row').nth(520).getByRole('link').focus()
    await press(page, 'ArrowDown', 10)
    await page.mouse.wheel(0, 5000)
    await press(page, 'Escape')
    await expect(page.getByText('21 chosen')).toBeHidden()
  })
})

test('a graph of 200 steps', async ({ page }) => {
  await logIn(page)
  const workflow = await makeWorkflow(page, uniqueName('Two hundred'), {
    steps: Array.from({ length: 200 }, (_, i) => ({
      ...logStep(`step ${i}`),
      id: `s${i}`,
      name: `Step number ${i}`,
      depends_on: [i - 1, i - 7, i - 20].filter((j) => j >= 0 && i % 9 !== 0).map((j) => `s${j}`),
    })),
  })
  const run = await startRun(page, workflow.id)
  await page.goto(`/runs/${run}`)
  await expect(page.getByRole('region', { name: 'Steps' }).getByRole('listitem')).toHaveCount(200)
  await settle(page)
  await expectSmooth(page, 'the graph of a run', async () => {
    await click(page, page.getByRole('button', { name: 'Graph' }))
    const graph = page.getByRole('group', { name: 'Steps as a graph' })
    await expect(graph.getByRole('button')).toHaveCount(200)
    await graph.getByRole('button', { name: 'Step number 199' }).focus()
    await press(page, 'ArrowLeft', 10)
    await press(page, 'Enter')
    await click(page, page.getByRole('button', { name: 'Larger' }))
    await click(page, page.getByRole('button', { name: 'Show all of it' }))
    await graph.hover()
    await page.mouse.wheel(500, 500)
    await click(page, page.getByRole('button', { name: 'Timeline' }))
    await expect(page.getByRole('region', { name: 'Steps' }).getByRole('listitem')).toHaveCount(200)
  })
})

test('a log of 100,000 lines', async ({ page }) => {
  test.setTimeout(120_000)
  await logIn(page)
  const workflow = await makeWorkflow(page, uniqueName('Talks a lot'), { steps: [logStep('hello')] })
  const run = await startRun(page, workflow.id)
  await page.route(/\/api\/v1\/runs\/[^/]+\/logs/, (route) => {
    const after = Number(new URL(route.request().url()).searchParams.get('after') ?? 0)
    const items = Array.from({ length: 1000 }, (_, i) => ({
      seq: after + i + 1,
      at: new Date(Date.parse('2026-11-25T10:00:00Z') + after + i).toISOString(),
      step: 'note',
      attempt: 1,
      level: (after + i) % 997 === 0 ? 'error' : 'info',
      message: `line ${after + i} of many${(after + i) % 50 === 0 ? ', and this one goes on '.repeat(20) : ''}`,
    }))
    return route.fulfill({
      json: { items, next_cursor: after + 1000 < 100_000 ? String(after + 1000) : null },
    })
  })
  const log = page.getByRole('log')
  await expectSmooth(page, 'the log while it loads', async () => {
    await page.goto(`/runs/${run}?line=60000`)
    await expect(page.getByText('100,000 lines')).toBeVisible({ timeout: 90_000 })
    await expect(log.getByText('line 59999 of many')).toBeVisible() // where the link leads
  })
  await settle(page)
  await expectSmooth(page, 'the log', async () => {
    await page.getByLabel('Search logs').fill('goes on')
    await expect(page.getByText('2,000 lines')).toBeVisible()
    await press(page, 'Enter', 5)
    await expect(page.getByText(/of 2,000/)).toBeVisible()
    await log.hover()
    for (let i = 0; i < 10; i++) {
      await page.mouse.wheel(0, 20_000)
      await shown(page)
    }
    await click(page, page.getByRole('button', { name: 'Wrap' }))
    await click(page, page.getByRole('button', { name: 'Wrap' }))
    await page.getByLabel('Level').selectOption('error')
    await expect(page.getByText('101 lines')).toBeVisible()
    await page.getByLabel('Level').selectOption('debug')
    await click(page, page.getByRole('button', { name: 'Follow' }))
    await expect(log.getByText('line 99999 of many')).toBeVisible()
  })
})

test('the editor’s graph of 200 steps', async ({ page }) => {
  await logIn(page)
  const workflow = await makeWorkflow(page, uniqueName('Large'), {
    steps: Array.from({ length: 200 }, (_, i) => ({
      ...httpStep('/ok'),
      id: `s${i}`,
      name: `Step number ${i}`,
      depends_on: i < 10 ? [] : [`s${i - 10}`],
    })),
  })
  await page.goto(`/workflows/${workflow.id}/edit?view=graph`)
  await expect(page.locator('[data-step]')).toHaveCount(200)
  await settle(page)
  await expectSmooth(page, 'the editor’s graph', async () => {
    await page.locator('[data-step][tabindex="0"]').focus()
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowRight', 'ArrowDown', 'ArrowLeft'])
      await press(page, key)
    await expect(page.locator('[data-step][tabindex="0"]')).toBeFocused()
    await page.getByLabel('Name optional').focus()
    for (const key of ['a', 'b', 'c']) await press(page, key)
  })
})
