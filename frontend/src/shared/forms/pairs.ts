// Names with texts, while they are edited: a key that never changes tells two of the same name apart.

export interface Pair {
  key: string
  name: string
  value: string
}

let lastKey = 0
/** A key that nothing else on the page has. */
export function newKey(): string {
  return `k${++lastKey}`
}

export function newPair(name = '', value = ''): Pair {
  return { key: newKey(), name, value }
}
