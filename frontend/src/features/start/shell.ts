// Command lines as a shell reads them, as far as pasted curl commands need it.

export interface Words {
  words: string[]
  /** Names of variables that only the shell knew. */
  variables: string[]
  /** An operator that joins commands or redirects files: |, &&, ;, > and others. */
  operators: string[]
  /** A quote that is not closed. */
  open: boolean
}

const operator = /^(?:&&|\|\||\d?>>?&?\d?|[|;&<])/

/** Splits a command line into words. It stops at the first operator that joins another command. */
export function splitWords(line: string): Words {
  const text = line.replace(/\\\r?\n/g, ' ')
  const result: Words = { words: [], variables: [], operators: [], open: false }
  let word: string | undefined
  let i = 0
  const add = (piece: string) => (word = (word ?? '') + piece)
  const end = () => {
    if (word !== undefined) result.words.push(word)
    word = undefined
  }
  while (i < text.length) {
    const c = text[i] as string
    if (/\s/.test(c)) {
      end()
      i++
    } else if (c === '\\') {
      add(text[i + 1] ?? '')
      i += 2
    } else if (c === "'" || (c === '$' && text[i + 1] === "'")) {
      const ansi = c === '$'
      const from = i + (ansi ? 2 : 1)
      let to = from
      while (to < text.length && text[to] !== "'") to += ansi && text[to] === '\\' ? 2 : 1
      const inside = text.slice(from, to)
      add(ansi ? unescape(inside) : inside)
      result.open ||= to >= text.length
      i = to + 1
    } else if (c === '"') {
      let to = i + 1
      let inside = ''
      while (to < text.length && text[to] !== '"') {
        if (text[to] === '\\' && /["\\$`]/.test(text[to + 1] ?? '')) to++
        else if (text[to] === '$') noteVariable(text.slice(to), result)
        inside += text[to] ?? ''
        to++
      }
      add(inside)
      result.open ||= to >= text.length
      i = to + 1
    } else {
      const found = word === undefined || /[|;&<>]/.test(c) ? operator.exec(text.slice(i)) : null
      if (found) {
        end()
        result.operators.push(found[0])
        i += found[0].length
        if (/^(&&|\|\||[|;&])$/.test(found[0])) return result
        // A redirection takes the next word with it.
        if (!/&\d$/.test(found[0])) i += /^\s*\S*/.exec(text.slice(i))?.[0].length ?? 0
        continue
      }
      if (c === '$') noteVariable(text.slice(i), result)
      add(c)
      i++
    }
  }
  end()
  return result
}

function noteVariable(text: string, into: Words): void {
  const name = /^\$(?:\{?([A-Za-z_]\w*)\}?|\()/.exec(text)
  if (name) into.variables.push(name[1] ?? '$(…)')
}

function unescape(text: string): string {
  const known: Record<string, string> = { n: '\n', t: '\t', r: '\r', "'": "'", '"': '"', '\\': '\\' }
  return text.replace(/\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)/gs, (_, code: string) =>
    code.length > 1 ? String.fromCharCode(parseInt(code.slice(1), 16)) : (known[code] ?? code),
  )
}
