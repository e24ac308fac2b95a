// One thing done to many runs: a few at a time, going on after failures, which are told at the end.

export interface BulkResult<T> {
  item: T
  error?: unknown
}

export async function inBulk<T>(
  items: readonly T[],
  act: (item: T) => Promise<unknown>,
  progress: (done: number) => void,
  atATime = 4,
): Promise<BulkResult<T>[]> {
  const results: BulkResult<T>[] = []
  let next = 0
  let done = 0
  async function work() {
    for (let i = next++; i < items.length; i = next++) {
      const item = items[i] as T
      try {
        await act(item)
        results[i] = { item }
      } catch (error) {
        results[i] = { item, error }
      }
      progress(++done)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atATime, items.length) }, work))
  return results
}
