// Axes of charts: round steps, and where things stand.

/** Round numbers from nought up to at least `most`, about `wanted` of them. */
export function ticks(most: number, wanted = 4): number[] {
  if (most <= 0) return [0, 1]
  const rough = most / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = Math.max(1, ([1, 2, 2.5, 5, 10].find((n) => n * power >= rough) ?? 10) * power)
  const list: number[] = []
  for (let value = 0; value < most + step; value += step) list.push(Math.round(value * 100) / 100)
  return list
}

/** Durations that people know, in milliseconds, from nought up to at least `most`. */
export function durationTicks(most: number, wanted = 4): number[] {
  const known = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
    [1, 2, 5, 10, 15, 30].map((n) => n * 1000),
    [1, 2, 5, 10, 15, 30].map((n) => n * 60_000),
    [1, 2, 4, 6, 12, 24, 48, 96, 240].map((n) => n * 3_600_000),
  )
  const step = known.find((n) => n * wanted >= most) ?? 864_000_000
  const list: number[] = []
  for (let value = 0; value < most + step; value += step) list.push(value)
  return list
}

/** Which of n labels to show so that each has at least `room` of the width. */
export function everyNth(n: number, width: number, room: number): number {
  return Math.max(1, Math.ceil((n * room) / Math.max(width, 1)))
}
