import { expect, it } from 'vitest'
import { cronLineOf, curlOf, pingOf } from './curl'

const url = 'https://orq.example.com/hooks/abc'

it('shows how a request is sent', () => {
  expect(curlOf({ url })).toBe(
    `curl -X POST -H 'Content-Type: application/json' \\\n  -d '{"hello": "world"}' '${url}'`,
  )
  expect(curlOf({ url, methods: ['PUT'] })).toContain('curl -X PUT')
})

it('signs as each scheme wants it', () => {
  expect(curlOf({ url, signature: { scheme: 'github', secret: 's' } })).toContain(
    'X-Hub-Signature-256: sha256=$SIGN',
  )
  expect(curlOf({ url, signature: { scheme: 'slack', secret: 's' } })).toMatch(/^SECRET='…'\nBODY=/)
  expect(curlOf({ url, signature: { scheme: 'stripe', secret: 's' } })).toContain('"$TIME.$BODY"')
  expect(curlOf({ url, signature: { scheme: 'slack', secret: 's' } })).toContain('"v0:$TIME:$BODY"')
  expect(curlOf({ url, signature: { scheme: 'standard_webhooks', secret: 's' } })).toContain(
    'webhook-signature: v1,$SIGN',
  )
  const own = {
    scheme: 'hmac',
    secret: 's',
    header: 'X-Sign',
    prefix: 'v=',
    encoding: 'base64',
    timestamp_header: 'X-At',
  } as const
  expect(curlOf({ url, signature: own })).toContain(`-H 'X-At: '"$TIME" \\\n  -H 'X-Sign: v='"$SIGN"`)
  const sly = { ...own, prefix: `$(id)'"` }
  expect(curlOf({ url, signature: sly })).toContain(`-H 'X-Sign: $(id)'\\''"'"$SIGN"`)
})

it('shows how a job says that it is well', () => {
  expect(pingOf(url)).toContain(url)
  expect(cronLineOf(url)).toContain(`${url}/$?`)
})
