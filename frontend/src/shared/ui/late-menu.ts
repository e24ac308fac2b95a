import { defineAsyncComponent, ref, type Component, type Ref } from 'vue'

/**
 * A menu that is loaded when somebody reaches for its button: many pages have the button, few visits open it. The menu
 * takes the button's place, open, once it is wanted; the button gets what `button` holds.
 */
export function useLateMenu<Menu extends Component>(
  load: () => Promise<{ default: Menu }>,
): { Menu: Menu; wanted: Ref<boolean>; button: Record<string, unknown> } {
  const wanted = ref(false)
  const want = () => (wanted.value = true)
  return {
    Menu: defineAsyncComponent(load),
    wanted,
    button: {
      'aria-haspopup': 'menu',
      'aria-expanded': 'false',
      onPointerenter: load,
      onFocus: load,
      onClick: want,
      onKeydown(event: KeyboardEvent) {
        if (event.key !== 'ArrowDown') return
        event.preventDefault()
        want()
      },
    },
  }
}
