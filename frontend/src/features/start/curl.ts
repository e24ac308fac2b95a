// A curl command as a step. What has no counterpart is refused or noted, never dropped silently.
import type { Step } from '@/shared/api/types'
import { splitWords } from './shell'

/** Codes are keys of `curl.` in the texts; detail is what they are about. */
export interface Remark {
  code: string
  detail?: string
}

export interface CurlResult {
  step?: Step
  /** Why it cannot be a step as it stands. */
  refused: Remark[]
  /** What is different from what curl would do. */
  notes: Remark[]
}

interface Request {
  method?: string
  url?: string
  headers: [string, string][]
  data: string[]
  asQuery: boolean
  json: boolean
  follow: boolean
  head: boolean
  timeout?: string
  attempts?: number
}

/** Long options that take a value, and short ones; anything else that is known takes none. */
const shortNames: Record<string, string> = {
  X: 'request',
  H: 'header',
  d: 'data',
  F: 'form',
  u: 'user',
  A: 'user-agent',
  e: 'referer',
  b: 'cookie',
  m: 'max-time',
  o: 'output',
  w: 'write-out',
  x: 'proxy',
  T: 'upload-file',
  c: 'cookie-jar',
  E: 'cert',
  K: 'config',
  D: 'dump-header',
  G: 'get',
  I: 'head',
  L: 'location',
  k: 'insecure',
  s: 'silent',
  S: 'show-error',
  f: 'fail',
  v: 'verbose',
  i: 'include',
  O: 'remote-name',
  g: 'globoff',
  N: 'no-buffer',
  '4': 'ipv4',
  '6': 'ipv6',
  q: 'disable',
  '#': 'progress-bar',
  J: 'remote-header-name',
}
const takesValue = new Set([
  'request',
  'header',
  'data',
  'data-raw',
  'data-ascii',
  'data-binary',
  'data-urlencode',
  'json',
  'form',
  'form-string',
  'user',
  'user-agent',
  'referer',
  'cookie',
  'max-time',
  'output',
  'write-out',
  'proxy',
  'upload-file',
  'cookie-jar',
  'cert',
  'key',
  'cacert',
  'config',
  'dump-header',
  'url',
  'retry',
  'retry-delay',
  'retry-max-time',
  'connect-timeout',
  'limit-rate',
  'oauth2-bearer',
  'resolve',
  'interface',
  'max-redirs',
  'netrc-file',
  'aws-sigv4',
  'unix-socket',
])
const harmless = new Set([
  'silent',
  'show-error',
  'fail',
  'fail-with-body',
  'verbose',
  'include',
  'globoff',
  'no-buffer',
  'compressed',
  'http1.1',
  'http2',
  'http3',
  'ipv4',
  'ipv6',
  'tcp-nodelay',
  'progress-bar',
  'no-progress-meter',
  'retry-delay',
  'retry-max-time',
  'connect-timeout',
  'disable',
  'location-trusted',
  'remote-header-name',
  'path-as-is',
  'retry-all-errors',
  'retry-connrefused',
])
const discarded = new Set(['output', 'remote-name', 'write-out', 'dump-header', 'cookie-jar'])
const refusedOptions = new Set([
  'form',
  'form-string',
  'upload-file',
  'cert',
  'key',
  'cacert',
  'proxy',
  'config',
  'resolve',
  'interface',
  'netrc-file',
  'netrc',
  'aws-sigv4',
  'unix-socket',
  'digest',
  'ntlm',
  'negotiate',
])

/** Reads a curl command; extra words before it (`time curl`) are refused. */
export function parseCurl(command: string, id = 'request'): CurlResult {
  const result: CurlResult = { refused: [], notes: [] }
  const refuse = (code: string, detail?: string) => result.refused.push({ code, detail })
  const note = (code: string, detail?: string) => {
    if (!result.notes.some((other) => other.code === code && other.detail === detail))
      result.notes.push({ code, detail })
  }
  const { words, variables, operators, open } = splitWords(command.trim().replace(/^\$\s+/, ''))
  if (open) refuse('openQuote')
  if (words[0] !== 'curl') {
    refuse('noCurl')
    return result
  }
  const joined = operators.find((text) => /^(&&|\|\||[|;&])$/.test(text))
  if (joined) refuse('joined', joined)
  else if (operators.length > 0) note('output')
  for (const name of new Set(variables)) note('variable', name)

  const request: Request = { headers: [], data: [], asQuery: false, json: false, follow: false, head: false }
  for (let i = 1; i < words.length; i++) {
    const word = words[i] as string
    if (word === '--' || !word.startsWith('-') || word === '-') {
      if (word === '--' || word === '-') continue
      if (request.url !== undefined) refuse('manyURLs')
      else request.url = word
      continue
    }
    if (word.startsWith('--')) {
      const [name = '', inline] = word.slice(2).split(/=(.*)/s)
      const value = takesValue.has(name) ? (inline ?? words[++i]) : undefined
      option(name, value, request, refuse, note)
      continue
    }
    for (let at = 1; at < word.length; at++) {
      const name = shortNames[word[at] as string] ?? word[at] ?? ''
      if (takesValue.has(name)) {
        option(name, word.slice(at + 1) || words[++i], request, refuse, note)
        break
      }
      option(name, undefined, request, refuse, note)
    }
  }
  if (request.url === undefined) refuse('noURL')
  if (result.refused.length === 0) result.step = stepOf(request, id, note)
  return result
}

type Say = (code: string, detail?: string) => void

function option(name: string, value: string | undefined, request: Request, refuse: Say, note: Say): void {
  if (takesValue.has(name) && value === undefined) return refuse('noValue', `--${name}`)
  const text = value ?? ''
  const header = (key: string, content: string) => request.headers.push([key, content])
  switch (name) {
    case 'request':
      request.method = text.toUpperCase()
      return
    case 'url':
      if (request.url !== undefined) return refuse('manyURLs')
      request.url = text
      return
    case 'header': {
      if (text.startsWith('@')) return refuse('file', text)
      const [key = '', content = ''] = text.split(/:(.*)/s)
      if (content.trim() !== '') header(key.trim(), content.trim())
      return
    }
    case 'json':
      request.json = true
      return text.startsWith('@') ? refuse('file', text) : void request.data.push(text)
    case 'data':
    case 'data-ascii':
    case 'data-binary':
      return text.startsWith('@') ? refuse('file', text) : void request.data.push(text)
    case 'data-raw':
      request.data.push(text)
      return
    case 'data-urlencode': {
      const pair = /^([^=@]*)([=@])(.*)$/s.exec(text)
      if (pair?.[2] === '@') return refuse('file', text)
      const [, key = '', , content = text] = pair ?? []
      request.data.push(key ? `${key}=${encodeURIComponent(content)}` : encodeURIComponent(content))
      return
    }
    case 'user':
      header('Authorization', `Basic ${base64(text.includes(':') ? text : `${text}:`)}`)
      return note('password')
    case 'oauth2-bearer':
      header('Authorization', `Bearer ${text}`)
      return note('password')
    case 'user-agent':
      return void header('User-Agent', text)
    case 'referer':
      return void header('Referer', text.replace(/;auto$/, ''))
    case 'cookie':
      return text.includes('=') ? void header('Cookie', text) : refuse('file', text)
    case 'get':
      request.asQuery = true
      return
    case 'head':
      request.head = true
      return
    case 'location':
      request.follow = true
      return
    case 'max-time':
      if (Number(text) > 0) request.timeout = `${Number(text)}s`
      return
    case 'retry':
      if (Number(text) > 0) request.attempts = Math.min(100, Math.trunc(Number(text)) + 1)
      return
    case 'insecure':
      return note('insecure')
    case 'limit-rate':
    case 'max-redirs':
      return note('ignored', `--${name}`)
    default:
      if (discarded.has(name)) return note('output')
      if (harmless.has(name)) return
      refuse(
        refusedOptions.has(name) ? `option.${name === 'form-string' ? 'form' : name}` : 'unknownOption',
        name.length > 1 ? `--${name}` : `-${name}`,
      )
  }
}

function stepOf(request: Request, id: string, note: Say): Step {
  let url = request.url ?? ''
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) url = `http://${url}`
  const data = request.data.join('&')
  if (request.asQuery && data !== '') url += (url.includes('?') ? '&' : '?') + data
  const sends = request.data.length > 0 && !request.asQuery
  const method = request.method ?? (request.head ? 'HEAD' : sends ? 'POST' : 'GET')
  const headers: Record<string, string> = {}
  for (const [name, value] of request.headers) {
    const known = Object.keys(headers).find((other) => other.toLowerCase() === name.toLowerCase())
    headers[known ?? name] = plain(value)
  }
  const config: Record<string, unknown> = { method, url: plain(url) }
  if (sends) config.body = bodyOf(data, request, headers)
  if (Object.keys(headers).length > 0) config.headers = headers
  if (!request.follow) config.follow_redirects = false
  if (
    Object.entries(headers).some(
      ([name, value]) => /^(authorization|x-api-key|cookie)$/i.test(name) && !value.includes('{{'),
    )
  )
    note('password')
  return {
    id,
    name: nameOf(method, url),
    action: 'http_endpoint',
    config,
    ...(request.timeout ? { timeout: request.timeout } : {}),
    ...(request.attempts ? { retry: { attempts: request.attempts } } : {}),
  }
}

/** The body, in the most readable form that says the same. A header that the form implies is taken out. */
function bodyOf(data: string, request: Request, headers: Record<string, string>): Record<string, unknown> {
  const typeName = Object.keys(headers).find((name) => name.toLowerCase() === 'content-type')
  const type = (typeName && headers[typeName]?.toLowerCase()) ?? (request.json ? 'application/json' : '')
  const implied = (name: string) => {
    if (typeName && headers[typeName]?.toLowerCase() === name) delete headers[typeName]
  }
  if (type.includes('json')) {
    try {
      const json: unknown = JSON.parse(data)
      implied('application/json')
      return { json: plainDeep(json) }
    } catch {
      if (!typeName) headers['Content-Type'] = 'application/json'
      return { text: plain(data) }
    }
  }
  if (type === '' || type.startsWith('application/x-www-form-urlencoded')) {
    const form = formOf(data)
    if (form) {
      implied('application/x-www-form-urlencoded')
      return { form }
    }
    if (!typeName) headers['Content-Type'] = 'application/x-www-form-urlencoded'
  }
  return { text: plain(data) }
}

function formOf(data: string): Record<string, string> | undefined {
  const form: Record<string, string> = {}
  for (const part of data.split('&')) {
    const [name = '', value] = part.split(/=(.*)/s)
    if (value === undefined || !/^[\w.[\]%+-]+$/.test(name)) return undefined
    try {
      const key = decodeURIComponent(name.replaceAll('+', ' '))
      if (Object.hasOwn(form, key)) return undefined
      form[key] = plain(decodeURIComponent(value.replaceAll('+', ' ')))
    } catch {
      return undefined
    }
  }
  return form
}

/** A text that templates leave as it is. */
export function plain(text: string): string {
  return text.replaceAll('{{', '{{ "{{" }}')
}

function plainDeep(value: unknown): unknown {
  if (typeof value === 'string') return plain(value)
  if (Array.isArray(value)) return value.map(plainDeep)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainDeep(inner)]))
  return value
}

function nameOf(method: string, url: string): string {
  try {
    const { hostname, pathname } = new URL(url)
    return `${method} ${hostname}${pathname === '/' ? '' : pathname}`.slice(0, 200)
  } catch {
    return method
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}
