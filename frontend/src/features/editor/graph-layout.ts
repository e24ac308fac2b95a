// Where the steps of a graph stand: in layers after what they wait for, within a layer near their neighbours.
import type { Node } from './graph'

export interface Placed {
  key: string
  layer: number
  /** Its place within the layer, from 0. */
  row: number
}

export interface Layout {
  nodes: Placed[]
  layers: number
  rows: number
  edges: { from: string; to: string }[]
}

/** Places nodes. A circle, which no valid workflow has, is cut where it is found. */
export function layeredLayout(nodes: readonly Node[]): Layout {
  const byKey = new Map(nodes.map((node) => [node.key, node]))
  const layerOf = new Map<string, number>()
  const open = new Set<string>()
  const visit = (key: string): number => {
    const known = layerOf.get(key)
    if (known !== undefined) return known
    if (open.has(key)) return -1
    open.add(key)
    const before = (byKey.get(key)?.dependsOn ?? []).filter((other) => byKey.has(other)).map(visit)
    open.delete(key)
    const layer = Math.max(-1, ...before) + 1
    layerOf.set(key, layer)
    return layer
  }
  for (const node of nodes) visit(node.key)

  const layers: string[][] = []
  for (const node of nodes) (layers[layerOf.get(node.key) ?? 0] ??= []).push(node.key)
  const after = new Map<string, string[]>()
  const edges: Layout['edges'] = []
  for (const node of nodes) {
    for (const from of node.dependsOn) {
      if (!byKey.has(from)) continue
      edges.push({ from, to: node.key })
      after.set(from, [...(after.get(from) ?? []), node.key])
    }
  }
  const rowOf = new Map<string, number>()
  const number = () => layers.forEach((layer) => layer.forEach((key, row) => rowOf.set(key, row)))
  number()
  const sortBy = (layer: string[], neighbours: (key: string) => readonly string[]) => {
    const weight = new Map(
      layer.map((key) => {
        const rows = neighbours(key).flatMap((other) => rowOf.get(other) ?? [])
        const mean = rows.reduce((sum, row) => sum + row, 0) / rows.length
        return [key, rows.length > 0 ? mean : (rowOf.get(key) ?? 0)]
      }),
    )
    layer.sort((a, b) => (weight.get(a) ?? 0) - (weight.get(b) ?? 0))
    layer.forEach((key, row) => rowOf.set(key, row))
  }
  // Forth and back a few times: enough for graphs that people draw.
  for (let sweep = 0; sweep < 4; sweep++) {
    layers.forEach((layer) => sortBy(layer, (key) => byKey.get(key)?.dependsOn ?? []))
    layers.toReversed().forEach((layer) => sortBy(layer, (key) => after.get(key) ?? []))
  }
  return {
    nodes: nodes.map(({ key }) => ({
      key,
      layer: layerOf.get(key) ?? 0,
      row: rowOf.get(key) ?? 0,
    })),
    layers: layers.length,
    rows: Math.max(0, ...layers.map((layer) => layer.length)),
    edges,
  }
}
