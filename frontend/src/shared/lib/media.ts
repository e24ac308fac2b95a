import { onScopeDispose, readonly, ref, type Ref } from 'vue'

/** Whether a media query holds, kept up to date for as long as the caller lives. */
export function useMedia(query: string): Readonly<Ref<boolean>> {
  const list = matchMedia(query)
  const matches = ref(list.matches)
  const update = () => (matches.value = list.matches)
  list.addEventListener('change', update)
  onScopeDispose(() => list.removeEventListener('change', update))
  return readonly(matches)
}

/** Wide enough for tables (the breakpoint md of main.css). */
export const tableWidth = '(min-width: 700px)'
