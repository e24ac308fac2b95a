/** Names to choose from; two of the same name are told apart by the end of their ids. */
export function choicesOf(
  workflows: readonly { id: string; name: string }[],
): { id: string; label: string }[] {
  const count = new Map<string, number>()
  for (const { name } of workflows) count.set(name, (count.get(name) ?? 0) + 1)
  return workflows.map(({ id, name }) => ({
    id,
    label: (count.get(name) ?? 0) > 1 ? `${name} (${id.slice(-6)})` : name,
  }))
}
