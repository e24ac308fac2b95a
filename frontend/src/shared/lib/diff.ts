// What is different between two texts, line by line, as people read it.

export type DiffLine =
  | { kind: 'same' | 'gone' | 'new'; text: string }
  /** Lines that are the same and far from any change. */
  | { kind: 'skip'; count: number }

/** The lines of both texts, changes marked, with a few lines around each. */
export function diffLines(before: string, after: string, context = 3): DiffLine[] {
  const a = before.split('\n')
  const b = after.split('\n')
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++
  const lines: DiffLine[] = a.slice(0, head).map((text) => ({ kind: 'same', text }))
  lines.push(...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)))
  for (const text of a.slice(a.length - tail)) lines.push({ kind: 'same', text })
  return folded(lines, context)
}

/** The longest common subsequence, by a table; where that would be too large, everything counts as changed. */
function middle(a: readonly string[], b: readonly string[]): DiffLine[] {
  if (a.length * b.length > 4_000_000) return changed(a, b)
  const width = b.length + 1
  const table = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number) => table[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: DiffLine[] = []
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ kind: 'same', text: a[i] as string })
      i++
      j++
    } else if (at(i + 1, j) >= at(i, j + 1)) lines.push({ kind: 'gone', text: a[i++] as string })
    else lines.push({ kind: 'new', text: b[j++] as string })
  }
  return [...lines, ...changed(a.slice(i), b.slice(j))]
}

function changed(a: readonly string[], b: readonly string[]): DiffLine[] {
  return [
    ...a.map((text) => ({ kind: 'gone' as const, text })),
    ...b.map((text) => ({ kind: 'new' as const, text })),
  ]
}

function folded(lines: readonly DiffLine[], context: number): DiffLine[] {
  const near = new Uint8Array(lines.length)
  lines.forEach((line, i) => {
    if (line.kind === 'same') return
    for (let k = Math.max(0, i - context); k <= Math.min(lines.length - 1, i + context); k++) near[k] = 1
  })
  const result: DiffLine[] = []
  let hidden = 0
  const flush = () => {
    if (hidden > 0) result.push({ kind: 'skip', count: hidden })
    hidden = 0
  }
  lines.forEach((line, i) => {
    if (near[i]) {
      flush()
      result.push(line)
    } else hidden++
  })
  flush()
  return result
}
