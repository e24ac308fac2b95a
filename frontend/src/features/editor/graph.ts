// "Runs after" as a graph. Nodes are the keys of draft steps.

export interface Node {
  key: string
  dependsOn: readonly string[]
}

/** The keys of everything that key waits for, near or far. */
export function ancestors(nodes: readonly Node[], key: string): Set<string> {
  const byKey = new Map(nodes.map((node) => [node.key, node]))
  const found = new Set<string>()
  const open = [...(byKey.get(key)?.dependsOn ?? [])]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue
    found.add(next)
    open.push(...(byKey.get(next)?.dependsOn ?? []))
  }
  return found
}

/** Whether letting key run after other would close a circle. */
export function wouldCycle(nodes: readonly Node[], key: string, other: string): boolean {
  return key === other || ancestors(nodes, other).has(key)
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
