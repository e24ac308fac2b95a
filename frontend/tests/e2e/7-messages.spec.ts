// Messages to people: a mail and four chats, written in the editor by their forms, sent by one run each.
import { createServer, type AddressInfo } from 'node:net'
import type { Page } from '@playwright/test'
import { expect, logIn, sink, test, uniqueName } from './support'

/** A mail server that takes everything, without TLS. */
async function startMailServer() {
  const mails: string[] = []
  const server = createServer((socket) => {
    let text = ''
    let inData = false
    const say = (line: string) => socket.write(`${line}\r\n`)
    say('220 mail.example.com ESMTP')
    socket.on('data', (chunk) => {
      text += chunk.toString()
      for (;;) {
        const end = text.indexOf(inData ? '\r\n.\r\n' : '\r\n')
        if (end < 0) return
        const part = text.slice(0, end)
        text = text.slice(end + (inData ? 5 : 2))
        if (inData) {
          mails.push(part)
          inData = false
          say('250 taken')
        } else if (/^DATA/i.test(part)) {
          inData = true
          say('354 go on')
        } else if (/^QUIT/i.test(part)) {
          say('221 bye')
          socket.end()
        } else say('250 mail.example.com')
      }
    })
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { mails, port: (server.address() as AddressInfo).port, stop: () => server.close() }
}

const field = (page: Page, name: string) =>
  page.locator(`[data-pointer="/steps/0/config/${name}"]`).locator('input, textarea, select').first()

/** Begins a workflow with one step of an action, chosen from the menu. */
async function beginWith(page: Page, action: RegExp): Promise<void> {
  await page.goto('/workflows/new')
  await page.getByLabel('Name', { exact: true }).first().fill(uniqueName('Tell the team'))
  await page.getByRole('button', { name: 'Remove “request”' }).click()
  await page.getByRole('button', { name: 'Remove trigger' }).first().click()
  await page.getByRole('button', { name: 'Add another action' }).click()
  await page.getByRole('menuitem', { name: action }).click()
}

async function runIt(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Create workflow' }).click()
  await page.getByRole('button', { name: 'Run now' }).click()
  await expect(page.getByText('Succeeded').first()).toBeVisible()
}

async function inbox(page: Page, path: string): Promise<string> {
  return JSON.stringify(await (await page.request.get(`${sink}/inbox${path}`)).json())
}

test.beforeEach(async ({ page }) => logIn(page))

for (const [action, title] of [
  ['slack', /Send a message to Slack/],
  ['discord', /Send a message to Discord/],
  ['teams', /Send a message to .*Teams/],
] as const) {
  test(`a message to ${action}`, async ({ page }) => {
    const secret = await page.request.put(`/api/v1/secrets/${action}_webhook`, {
      data: { value: `${sink}/inbox/${action}` },
    })
    expect(secret.status(), await secret.text()).toBe(200)
    await beginWith(page, title)
    await field(page, 'webhook_url').fill(`{{ secrets.${action}_webhook }}`)
    await field(page, 'text').fill('The run {{ run.id }} is *done*')
    await runIt(page)
    await expect.poll(() => inbox(page, `/${action}`)).toMatch(/The run [0-9a-f-]{36} is \*done\*/)
  })
}

test('a message to Telegram, by a Bot API server of one’s own', async ({ page }) => {
  const secret = await page.request.put('/api/v1/secrets/bot', { data: { value: '123456:ABC-DEF' } })
  expect(secret.status(), await secret.text()).toBe(200)
  await beginWith(page, /Send a message to Telegram/)
  await field(page, 'bot_token').fill('{{ secrets.bot }}')
  await field(page, 'chat_id').fill('-100123')
  await field(page, 'text').fill('Done')
  await field(page, 'server').fill(sink)
  await runIt(page)
  await expect.poll(() => inbox(page, '/bot123456:ABC-DEF/sendMessage')).toContain('"chat_id":"-100123"')
})

test('a mail', async ({ page }) => {
  const server = await startMailServer()
  await beginWith(page, /Send an e-mail/)
  await field(page, 'host').fill('127.0.0.1')
  await field(page, 'port').fill(String(server.port))
  await field(page, 'tls').selectOption({ label: 'none' })
  await field(page, 'from').fill('Orquestador <orq@example.com>')
  await field(page, 'to').fill('ana@example.com')
  await field(page, 'subject').fill('It is done')
  await field(page, 'text').fill('The run {{ run.id }} is done.')
  await runIt(page)
  expect(server.mails).toHaveLength(1)
  expect(server.mails[0]).toMatch(/Subject: It is done/)
  expect(server.mails[0]).toMatch(/The run [0-9a-f-]{36} is done\./)
  server.stop()
})
