// Keys that work on every page. Those without Ctrl or Cmd can be turned off, because speech input types letters by
// accident (WCAG 2.1.4).
import { ref } from 'vue'

const storageKey = 'orq.single_keys'

function stored(): boolean {
  try {
    return localStorage.getItem(storageKey) !== 'off'
  } catch {
    return true
  }
}

/** Whether single keys are shortcuts. */
export const singleKeys = ref(stored())

export function setSingleKeys(on: boolean): void {
  singleKeys.value = on
  try {
    localStorage.setItem(storageKey, on ? 'on' : 'off')
  } catch {
    // Storage may be blocked; the choice then lasts until the page is closed.
  }
}

export type Command =
  | 'palette'
  | 'help'
  | 'search'
  | 'new'
  | 'dashboard'
  | 'workflows'
  | 'runs'
  | 'queue'
  | 'calendars'
  | 'secrets'
  | 'settings'

/** The keys of each command, as they are shown: "mod" is Ctrl, or Cmd on a Mac. */
export const shortcuts: readonly { command: Command; keys: readonly string[] }[] = [
  { command: 'palette', keys: ['mod', 'k'] },
  { command: 'help', keys: ['?'] },
  { command: 'search', keys: ['/'] },
  { command: 'new', keys: ['n'] },
  { command: 'dashboard', keys: ['g', 'd'] },
  { command: 'workflows', keys: ['g', 'w'] },
  { command: 'runs', keys: ['g', 'r'] },
  { command: 'queue', keys: ['g', 'q'] },
  { command: 'calendars', keys: ['g', 'c'] },
  { command: 'secrets', keys: ['g', 'k'] },
  { command: 'settings', keys: ['g', 's'] },
]

interface Press {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  shiftKey?: boolean
}

const patience = 1200 // ms between the keys of one shortcut

/** A reader of key presses: answers the command that a press completes. */
export function shortcutReader(): (press: Press, at: number, typing: boolean) => Command | undefined {
  let before = ''
  let beforeAt = 0
  return (press, at, typing) => {
    const key = press.key.length === 1 ? press.key.toLowerCase() : press.key
    if ((press.ctrlKey || press.metaKey) && !press.altKey) {
      before = ''
      return key === 'k' && !press.shiftKey ? 'palette' : undefined
    }
    if (press.altKey || typing || !singleKeys.value) {
      before = ''
      return undefined
    }
    const sequence = before && at - beforeAt <= patience ? [before, key] : [key]
    const found = shortcuts.find(({ keys }) => keys.join(' ') === sequence.join(' '))
    before = found ? '' : key
    beforeAt = at
    return found?.command
  }
}

/** Whether keys that are pressed here are text. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (
    target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  )
    return true
  return (
    target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit'].includes(target.type)
  )
}
