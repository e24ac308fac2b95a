import { test } from '@playwright/test'
import { logIn } from './support'
test('sizes', async ({ browser }) => {
  const context = await browser.newContext({ baseURL: process.env.ORQ_E2E_URL })
  const page = await context.newPage()
  await logIn(page)
  const session = await context.newCDPSession(page)
  await session.send('Network.enable')
  const urls = new Map<string, string>()
  const list: [number, string][] = []
  session.on('Network.requestWillBeSent', (e) => urls.set(e.requestId, e.request.url))
  session.on('Network.loadingFinished', (e) => list.push([e.encodedDataLength, urls.get(e.requestId) ?? '']))
  await page.goto(process.env.ADDRESS ?? '/workflows')
  await page.waitForTimeout(3000)
  list.sort((a, b) => b[0] - a[0])
  const own = list.filter(([, u]) => !u.includes('/api/'))
  console.log(
    own.length,
    own.reduce((s, [n]) => s + n, 0),
  )
  for (const [n, u] of own.slice(0, 45)) console.log(n, u.split('/').pop())
})
