// "Runs after" as a graph. Nodes are the keys of draft steps.

export interface Node {
  key: string
  dependsOn: readonly string[]
}

/** The keys of everything that key waits for, near or far. */
export function ancestors(nodes: readonly Node[], key: string): Set<string> {
  const waitsFor = new Map(nodes.map((node) => [node.key, node.dependsOn]))
  return reached(waitsFor, key)
}

/** The keys of everything that waits for key, near or far: were key to run after one of them, it would close a circle. */
export function followers(nodes: readonly Node[], key: string): Set<string> {
  const waiting = new Map<string, string[]>()
  for (const node of nodes) {
    for (const other of node.dependsOn) waiting.set(other, [...(waiting.get(other) ?? []), node.key])
  }
  return reached(waiting, key)
}

function reached(next: ReadonlyMap<string, readonly string[]>, from: string): Set<string> {
  const found = new Set<string>()
  const open = [...(next.get(from) ?? [])]
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (found.has(key)) continue
    found.add(key)
    open.push(...(next.get(key) ?? []))
  }
  return found
}

/** The dependencies of what remains when a node goes: who waited for it now waits for what it waited for. */
export function without<T extends Node>(nodes: readonly T[], key: string): T[] {
  const gone = nodes.find((node) => node.key === key)
  return nodes
    .filter((node) => node.key !== key)
    .map((node) =>
      node.dependsOn.includes(key)
        ? {
            ...node,
            dependsOn: [
              ...new Set([...node.dependsOn.filter((other) => other !== key), ...(gone?.dependsOn ?? [])]),
            ],
          }
        : node,
    )
}
