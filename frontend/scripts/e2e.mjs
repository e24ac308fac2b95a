// Drives the real program in a real browser: starts ../bin/orq on an empty folder and a free port, and an HTTP server
// for its steps to call and an issuer for people to log in with, runs Playwright, and stops what it started. Arguments go to Playwright.
//   ORQ_E2E_URL    test a program that runs already (it must be allowed to call 127.0.0.1)
//   ORQ_CHROMIUM   the browser; else the system's Chromium or Chrome
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, chmodSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('..', import.meta.url))
const binary = join(here, '..', 'bin', 'orq')

function findBrowser() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  const candidates = process.env.ORQ_CHROMIUM
    ? [process.env.ORQ_CHROMIUM]
    : [
        ...(process.env.PATH ?? '').split(delimiter).flatMap((dir) => names.map((name) => join(dir, name))),
        '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
        '/Applications/Chromium.app/Contents/MacOS/Chromium',
      ]
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** What the steps of the tests call. */
function startSink() {
  const seen = new Map()
  let sometimes = 0
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://sink')
    const answer = (status, value) => {
      response.writeHead(status, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify(value))
    }
    if (url.pathname.startsWith('/inbox/')) {
      // What was sent there before is the answer to a GET.
      const box = seen.get(url.pathname) ?? []
      seen.set(url.pathname, box)
      if (request.method === 'GET') return answer(200, box)
      let text = ''
      request.on('data', (chunk) => (text += chunk))
      request.on('end', () => answer(200, { taken: box.push(JSON.parse(text)) }))
      return
    }
    if (url.pathname.startsWith('/bot')) {
      // A Bot API server; what it got is in an inbox by the bot's token.
      const inbox = `/inbox${url.pathname}`
      let text = ''
      request.on('data', (chunk) => (text += chunk))
      request.on('end', () => {
        const box = seen.get(inbox) ?? []
        seen.set(inbox, box)
        answer(200, { ok: true, result: { message_id: box.push(JSON.parse(text)) } })
      })
      return
    }
    request.resume()
    if (url.pathname === '/slow') {
      const timer = setTimeout(() => answer(200, { slow: true }), 60_000)
      response.on('close', () => clearTimeout(timer))
    } else if (url.pathname === '/echo') {
      answer(200, { authorization: request.headers.authorization ?? '' })
    } else if (url.pathname === '/fail') {
      answer(500, { error: 'out of paper' })
    } else if (url.pathname === '/sometimes') {
      answer(++sometimes % 5 === 3 ? 500 : 200, { usd: 1.08 })
    } else if (url.pathname === '/flaky') {
      // Fails twice for each run; what tells runs apart is the idempotency key.
      const key = request.headers['idempotency-key'] ?? ''
      const times = (seen.get(key) ?? 0) + 1
      seen.set(key, times)
      answer(times < 3 ? 503 : 200, { times, usd: 1.08 })
    } else {
      answer(200, { usd: 1.08 })
    }
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

/** Who has an account at the issuer. Each test takes other people. */
const people = ['olivia', 'oscar', 'otto', 'olga', 'osvaldo']

/** An OpenID Connect issuer, whose people come back to the program; it can also be spoken to as if it were GitHub. */
async function startIssuer(back, cleanups) {
  const root = join(here, '..')
  const issuer = join(root, 'bin', 'oidc')
  const built = spawnSync('go', ['build', '-o', issuer, './pkg/testkit/cmd/oidc'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (built.status !== 0) throw new Error('the issuer cannot be built')
  const child = spawn(issuer, ['-back', back, '-people', people.join(',')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const url = await new Promise((resolve, reject) => {
    child.stdout.once('data', (chunk) => resolve(String(chunk).trim()))
    child.once('exit', () => reject(new Error('the issuer did not start')))
  })
  cleanups.push(() => child.kill('SIGTERM'))
  return url
}

function freePort() {
  return new Promise((resolve) => {
    const server = createTcpServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

async function waitUntilReady(url, program, log) {
  const until = Date.now() + 90_000
  while (Date.now() < until) {
    if (program.exitCode !== null) break
    const ready = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`the program did not get ready; its last words:\n${log().slice(-4000)}`)
}

function ended(child) {
  return child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', resolve))
}

const browser = findBrowser()
if (!browser) {
  console.log(
    'SKIP browser tests: no Chromium or Chrome found (try: install chromium, or set ORQ_CHROMIUM to its path)',
  )
  process.exit(0)
}

const cleanups = []
let status = 1
try {
  const sink = await startSink()
  cleanups.push(() => {
    sink.closeAllConnections()
    sink.close()
  })

  let url = process.env.ORQ_E2E_URL
  let issuer = ''
  if (!url) {
    if (!existsSync(binary)) throw new Error('bin/orq is missing (try: make build)')
    const dir = mkdtempSync(join(tmpdir(), 'orq-e2e-'))
    chmodSync(dir, 0o711) // started by root, the database runs as another user
    cleanups.push(() => rmSync(dir, { recursive: true, force: true }))
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    issuer = await startIssuer(url, cleanups)
    const github = await startIssuer(url, cleanups)
    let output = ''
    const program = spawn(binary, ['all'], {
      env: {
        ...process.env,
        ORQ_LISTEN: `127.0.0.1:${port}`,
        ORQ_DATA_DIR: join(dir, 'data'),
        ORQ_EGRESS_ALLOW: '127.0.0.1/32',
        ORQ_RATE_LIMIT_USER: '100000/1m', // one user makes a crowd of workflows
        ORQ_PUBLIC_URL: url,
        ORQ_OIDC_ISSUER: issuer,
        ORQ_OIDC_NAME: 'Example Ltd',
        ORQ_OIDC_CLIENT_ID: 'orquestador',
        ORQ_OIDC_CLIENT_SECRET: "the client's secret",
        ORQ_GITHUB_URL: github,
        ORQ_GITHUB_CLIENT_ID: 'orquestador',
        ORQ_GITHUB_CLIENT_SECRET: "the client's secret",
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [program.stdout, program.stderr]) stream.on('data', (chunk) => (output += chunk))
    cleanups.push(async () => {
      program.kill('SIGTERM')
      await ended(program)
      // The tests make no mistake of the program's own: what it calls an error is one, also where the page looked right.
      const errors = output.split('\n').filter((line) => line.includes('level=ERROR'))
      if (errors.length > 0) {
        console.log(`the program logged ${errors.length} errors:\n${errors.slice(0, 20).join('\n')}`)
        status ||= 1
      }
      if (status !== 0) console.log(`--- the program's last words\n${output.slice(-3000)}`)
    })
    await waitUntilReady(url, program, () => output)
  }

  const cli = fileURLToPath(import.meta.resolve('@playwright/test/cli'))
  const given = process.argv.slice(2)
  const project = given.some((argument) => argument.startsWith('--project')) ? [] : ['--project=e2e']
  const tests = spawn(process.execPath, [cli, 'test', ...project, ...given], {
    cwd: here,
    stdio: 'inherit',
    env: {
      ...process.env,
      ORQ_E2E_URL: url,
      ORQ_E2E_ISSUER: issuer,
      ORQ_E2E_SINK: `http://127.0.0.1:${sink.address().port}`,
      ORQ_CHROMIUM: browser,
    },
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => tests.kill(signal))
  await ended(tests)
  status = tests.exitCode ?? 1
} catch (cause) {
  console.error(`e2e: ${cause instanceof Error ? cause.message : cause}`)
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup()
}
process.exit(status)
