// Draws a graph of steps in layers, from left to right: a step stands one layer behind the last of those that it waits for,
// and within its layer near them (the barycentre heuristic of Sugiyama's method). It takes time in proportion to the edges.

export interface GraphNode {
  id: string
  after: readonly string[]
}

export interface Placed {
  id: string
  layer: number
  /** The place in its layer, from the top; halves where a layer has fewer than the tallest. */
  row: number
}

export interface Layout {
  nodes: Placed[]
  edges: { from: string; to: string }[]
  layers: number
  rows: number
}

const sweeps = 4

export function layered(nodes: readonly GraphNode[]): Layout {
  const known = new Map(nodes.map((node) => [node.id, node]))
  const edges = nodes.flatMap((node) =>
    node.after.filter((id) => known.has(id) && id !== node.id).map((from) => ({ from, to: node.id })),
  )
  const layerOf = layersOf(nodes, edges)
  const layers: string[][] = []
  for (const node of nodes) (layers[layerOf.get(node.id) ?? 0] ??= []).push(node.id)
  for (let i = 0; i < layers.length; i++) layers[i] ??= []

  const before = group(edges, 'to', 'from')
  const behind = group(edges, 'from', 'to')
  const place = new Map<string, number>()
  const note = (layer: string[]) => layer.forEach((id, i) => place.set(id, i - (layer.length - 1) / 2))
  layers.forEach(note)
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const down = sweep % 2 === 0
    for (const layer of down ? layers : layers.toReversed()) {
      const near = down ? before : behind
      const middle = new Map(layer.map((id) => [id, mean(near.get(id) ?? [], place) ?? place.get(id) ?? 0]))
      layer.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0))
      note(layer)
    }
  }
  const rows = Math.max(1, ...layers.map((layer) => layer.length))
  return {
    nodes: layers.flatMap((layer, i) =>
      layer.map((id) => ({ id, layer: i, row: (place.get(id) ?? 0) + (rows - 1) / 2 })),
    ),
    edges,
    layers: layers.length,
    rows,
  }
}

/** The layer of each node. What stands in a circle, which no saved workflow has, goes where it is reached first. */
function layersOf(
  nodes: readonly GraphNode[],
  edges: readonly { from: string; to: string }[],
): Map<string, number> {
  const behind = group(edges, 'from', 'to')
  const waits = new Map(nodes.map((node) => [node.id, 0]))
  for (const { to } of edges) waits.set(to, (waits.get(to) ?? 0) + 1)
  const layer = new Map<string, number>()
  const ready = nodes.filter((node) => waits.get(node.id) === 0).map((node) => node.id)
  for (const id of ready) layer.set(id, 0)
  for (let i = 0; i < ready.length; i++) {
    const id = ready[i] ?? ''
    for (const next of behind.get(id) ?? []) {
      layer.set(next, Math.max(layer.get(next) ?? 0, (layer.get(id) ?? 0) + 1))
      const left = (waits.get(next) ?? 1) - 1
      waits.set(next, left)
      if (left === 0) ready.push(next)
    }
  }
  // What waits for nothing stands right before what waits for it, not at the far end of a long line.
  const waiting = new Set(edges.map((edge) => edge.to))
  for (const [id, nexts] of behind) {
    if (!waiting.has(id))
      layer.set(id, Math.max(0, Math.min(...nexts.map((next) => layer.get(next) ?? 1)) - 1))
  }
  return layer
}

function group(
  edges: readonly { from: string; to: string }[],
  by: 'from' | 'to',
  what: 'from' | 'to',
): Map<string, string[]> {
  const map = new Map<string, string[]>()
  for (const edge of edges) {
    const list = map.get(edge[by])
    if (list) list.push(edge[what])
    else map.set(edge[by], [edge[what]])
  }
  return map
}

function mean(ids: readonly string[], place: ReadonlyMap<string, number>): number | undefined {
  if (ids.length === 0) return undefined
  return ids.reduce((sum, id) => sum + (place.get(id) ?? 0), 0) / ids.length
}
