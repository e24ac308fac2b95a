// Large installations stay quick. Last, because the other tests need no such crowd.
import { click, expectSmooth, press, settle } from './smooth'
import { account, expect, logIn, logStep, pick, test } from './support'

test.describe.configure({ retries: 2 }) // other programs share the machine; a slow page is slow each time

test('a list of 10,000 workflows stays smooth and never loads them all', async ({ page, baseURL }) => {
  test.setTimeout(300_000)
  await logIn(page)
  const all = 10_000
  const there = await page.request.get('/api/v1/workflows', { params: { q: 'Crowd 9999', limit: 1 } })
  let next = ((await there.json()) as { items: unknown[] }).items.length > 0 ? all : 0 // an earlier try made them
  const login = await page.request.post('/api/v1/auth/login', { data: pick(account, 'email', 'password') })
  const { access_token } = (await login.json()) as { access_token: string }
  // Node's own requests: the browser's would be noted down one by one.
  const headers = { Authorization: `Bearer ${access_token}`, 'Content-Type': 'application/json' }
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (next < all) {
        const n = next++
        const body = JSON.stringify({
          name: `Crowd ${n}`,
          enabled: n % 7 !== 0,
          triggers:
            n % 3 === 0
              ? []
              : [{ id: 'yearly', type: 'schedule', cron: `${n % 60} 3 1 1 *`, timezone: 'Europe/Madrid' }],
          steps: [logStep('one of many')],
        })
        const made = await fetch(new URL('/api/v1/workflows', baseURL), { method: 'POST', headers, body })
        if (!made.ok) throw new Error(await made.text())
        await made.body?.cancel()
      }
    }),
  )

  const asked: string[] = []
  page.on('request', (request) => {
    if (/\/api\/v1\/workflows(\?|$)/.test(request.url())) asked.push(request.url())
  })
  const begun = Date.now()
  await page.goto('/workflows')
  await expect(page.getByRole('row')).toHaveCount(51)
  console.log(`    shown after ${Date.now() - begun} ms`)
  // The list, and once more when the stream begins; fifty each.
  expect(asked.length).toBeLessThanOrEqual(2)
  expect(asked.filter((url) => !url.includes('limit=50'))).toEqual([])
  await settle(page)
  await expectSmooth(page, 'the list of workflows', async () => {
    for (let i = 2; i <= 3; i++) {
      await click(page, page.getByRole('button', { name: 'Load more' }))
      await expect(page.getByRole('row')).toHaveCount(50 * i + 1)
    }
    await click(page, page.getByRole('checkbox', { name: 'Choose all that are loaded' }))
    await expect(page.getByText('150 chosen')).toBeVisible()
    await click(page, page.getByRole('button', { name: 'Clear the selection' }))
    await page.getByLabel('Search by name').focus()
    for (const letter of 'Crowd 1234') await press(page, letter)
    await expect(page.getByRole('row')).toHaveCount(2)
    await page.getByLabel('Search by name').fill('')
    await page.getByLabel('State').selectOption({ label: 'Paused' })
    await expect(page.getByRole('row')).toHaveCount(51)
    await press(page, 'Control+k')
    await expect(page.getByRole('dialog').getByRole('combobox')).toBeFocused()
    for (const letter of 'Crowd 9876') await press(page, letter)
    await expect(page.getByRole('option', { name: 'Crowd 9876', exact: true })).toBeVisible()
  })
})
