import { describe, expect, it } from 'vitest'
import { parseCurl } from './curl'
import { splitWords } from './shell'

describe('splitWords', () => {
  it.each([
    ['a  b', ['a', 'b']],
    [`a 'b c' "d \\"e\\" $F" g\\ h`, ['a', 'b c', 'd "e" $F', 'g h']],
    ['a \\\n  b', ['a', 'b']],
    ["$'x\\ny\\u0041'", ['x\nyA']],
    ["''", ['']],
    ['a >/dev/null 2>&1', ['a']],
    ['a > out.txt b', ['a', 'b']],
    ['a | b', ['a']],
    ['https://e.com/?a=1&b=2', ['https://e.com/?a=1']], // as a shell would
  ])('%j', (line, words) => {
    expect(splitWords(line).words).toEqual(words)
  })
  it('tells variables and open quotes', () => {
    expect(splitWords('a $TOKEN "${B}" \'$C\' $(date)').variables).toEqual(['TOKEN', 'B', '$(…)'])
    expect(splitWords("a 'b").open).toBe(true)
  })
})

const config = (command: string) => parseCurl(command).step?.config
const codes = (command: string) => ({
  refused: parseCurl(command).refused.map(({ code }) => code),
  notes: parseCurl(command).notes.map(({ code }) => code),
})

describe('parseCurl', () => {
  it.each<[string, Record<string, unknown>]>([
    ['curl example.com', { method: 'GET', url: 'http://example.com', follow_redirects: false }],
    ["curl -sSfL 'https://example.com/?a=1&b=2'", { method: 'GET', url: 'https://example.com/?a=1&b=2' }],
    ['curl -I https://example.com', { method: 'HEAD', url: 'https://example.com', follow_redirects: false }],
    [
      "curl -L -XPUT https://e.com -H 'Accept: text/plain' -H 'X-Empty;' -A bot",
      { method: 'PUT', url: 'https://e.com', headers: { Accept: 'text/plain', 'User-Agent': 'bot' } },
    ],
    [
      'curl -L https://e.com -d a=1 -d "b=x y" --data-urlencode "c=ñ&"',
      { method: 'POST', url: 'https://e.com', body: { form: { a: '1', b: 'x y', c: 'ñ&' } } },
    ],
    [
      `curl -L https://e.com -H 'content-type: application/json' --data-raw '{"a": [1, "{{x}}"]}'`,
      { method: 'POST', url: 'https://e.com', body: { json: { a: [1, '{{ "{{" }}x}}'] } } },
    ],
    [
      `curl -L --json '{"a":1}' https://e.com`,
      { method: 'POST', url: 'https://e.com', body: { json: { a: 1 } } },
    ],
    [
      `curl -L https://e.com -d '{"a":1}'`,
      {
        method: 'POST',
        url: 'https://e.com',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: { text: '{"a":1}' },
      },
    ],
    ['curl -L -G https://e.com/s -d q=a -d r=b', { method: 'GET', url: 'https://e.com/s?q=a&r=b' }],
    [
      'curl -L https://e.com -u ana:geheim',
      { method: 'GET', url: 'https://e.com', headers: { Authorization: 'Basic YW5hOmdlaGVpbQ==' } },
    ],
    [
      "curl -L https://e.com -b 'a=1; b=2'",
      { method: 'GET', url: 'https://e.com', headers: { Cookie: 'a=1; b=2' } },
    ],
  ])('%s', (command, expected) => {
    expect(config(command)).toEqual(expected)
  })

  it('keeps time limit and retries', () => {
    expect(parseCurl('curl -m 20 --retry 3 https://e.com').step).toMatchObject({
      timeout: '20s',
      retry: { attempts: 4 },
      name: 'GET e.com',
    })
  })

  it.each<[string, string[]]>([
    ['curl https://e.com -d @body.json', ['file']],
    ['curl https://e.com --data-binary @-', ['file']],
    ['curl https://e.com -F file=@x.png', ['option.form']],
    ['curl -T x.png https://e.com', ['option.upload-file']],
    ['curl -x http://proxy https://e.com', ['option.proxy']],
    ['curl https://e.com | jq .', ['joined']],
    ['curl https://e.com && echo', ['joined']],
    ['curl https://a.com https://b.com', ['manyURLs']],
    ['curl', ['noURL']],
    ['wget https://e.com', ['noCurl']],
    ["curl 'https://e.com", ['openQuote']],
    ['curl https://e.com --nonsense', ['unknownOption']],
    ['curl https://e.com -H', ['noValue']],
  ])('refuses %s', (command, refused) => {
    expect(codes(command).refused).toEqual(refused)
    expect(parseCurl(command).step).toBeUndefined()
  })

  it.each<[string, string[]]>([
    ['curl -k https://e.com', ['insecure']],
    ['curl -o x https://e.com > log', ['output']],
    ['curl https://e.com -H "Authorization: Bearer $TOKEN"', ['variable', 'password']],
    ['$ curl https://e.com', []],
  ])('notes about %s', (command, notes) => {
    expect(codes(command)).toEqual({ refused: [], notes })
  })
})
