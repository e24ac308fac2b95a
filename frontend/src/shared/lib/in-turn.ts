/** Does something for each item, a few at a time, and tells after each how many are done. Failures do not stop it. */
export async function inTurn<T>(
  items: readonly T[],
  act: (item: T) => Promise<unknown>,
  options: { atOnce?: number; done?: (count: number) => void } = {},
): Promise<{ item: T; cause: unknown }[]> {
  const failures: { item: T; cause: unknown }[] = []
  let next = 0
  let count = 0
  const work = async () => {
    while (next < items.length) {
      const item = items[next++] as T
      try {
        await act(item)
      } catch (cause) {
        failures.push({ item, cause })
      }
      options.done?.(++count)
    }
  }
  await Promise.all(Array.from({ length: Math.min(options.atOnce ?? 4, items.length) }, work))
  return failures
}
