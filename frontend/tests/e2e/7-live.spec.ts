import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, logIn, logStep, makeWorkflow, startRun, test, uniqueName } from './support'

/** A line to the server that can be cut: the browser's own "offline" leaves open streams alone. */
async function makeLine(to: URL) {
  const sockets = new Set<Socket>()
  let whole = true
  const server = createServer((near) => {
    if (!whole) {
      near.destroy()
      return
    }
    const far = connect(Number(to.port), to.hostname)
    for (const [one, two] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.pipe(two)
      one.on('error', () => two.destroy())
      one.on('close', () => {
        sockets.delete(one)
        two.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      whole = false
      for (const socket of sockets) socket.destroy()
    },
    mend() {
      whole = true
    },
    end() {
      this.cut()
      server.close()
    },
  }
}

test('what two pages missed while the line was cut is there when it is mended', async ({ browser }) => {
  const line = await makeLine(new URL(process.env.ORQ_E2E_URL ?? ''))
  const context = await browser.newContext({ baseURL: line.url })
  try {
    const list = await context.newPage()
    await logIn(list)
    const direct = await browser.newPage({ baseURL: process.env.ORQ_E2E_URL })
    await logIn(direct)
    const workflow = await makeWorkflow(direct, uniqueName('Missed'), { steps: [logStep('hello')] })
    await startRun(direct, workflow.id)
    const streams: string[] = []
    context.on('request', (request) => {
      if (request.url().includes('/api/v1/events')) streams.push(request.url())
    })
    await list.goto(`/runs?workflow=${workflow.id}`)
    await expect(list.getByText('Live', { exact: true })).toBeVisible()
    const tab = await context.newPage()
    await tab.goto(`/workflows/${workflow.id}`)
    for (const page of [list, tab]) {
      await expect(page.getByText('Live', { exact: true })).toBeVisible()
      await expect(page.getByRole('row')).toHaveCount(2)
    }
    expect(streams).toHaveLength(1) // both want the same, so one stream serves them

    line.cut()
    // The leader's state is everybody's.
    for (const page of [list, tab]) await expect(page.getByText('Reconnecting…')).toBeVisible()
    await startRun(direct, workflow.id)
    line.mend()
    for (const page of [list, tab]) {
      await expect(page.getByText('Live', { exact: true })).toBeVisible({ timeout: 40_000 })
      // In the list after a resync, or behind the button when the server could tell what was missed.
      const fresh = page.getByRole('button', { name: '1 new run' })
      await expect(fresh.or(page.getByRole('row').nth(2)).first()).toBeVisible()
    }
    await direct.close()
  } finally {
    await context.close()
    line.end()
  }
})

test('rows of two pages change in place while a run goes on', async ({ page, context }) => {
  await logIn(page)
  const workflow = await makeWorkflow(page, uniqueName('Changes'), {
    steps: [
      { ...logStep('before'), id: 'before' },
      { ...logStep('after'), id: 'after', depends_on: ['before'], if: 'inputs.go == true' },
    ],
  })
  const id = await startRun(page, workflow.id)
  await page.goto(`/runs/${id}`)
  const other = await context.newPage()
  await other.goto(`/runs?workflow=${workflow.id}`)
  await expect(other.getByRole('row')).toHaveCount(2)
  await page.getByRole('button', { name: 'Rerun', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Everything' }).click()
  await expect(page.getByText('Repeats an earlier run')).toBeVisible()
  // The other page counts it and does not move under its reader.
  await expect(other.getByRole('button', { name: '1 new run' })).toBeVisible()
  await expect(other.getByRole('row')).toHaveCount(2)
  await other.getByRole('button', { name: '1 new run' }).click()
  await expect(other.getByRole('row').nth(1)).toContainText('Rerun')
  await expect(other.getByRole('row').nth(1)).toContainText('Succeeded')
})
