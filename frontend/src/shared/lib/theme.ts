// Light, dark or as the system says. theme-init.js does the same before the first paint.
import { ref } from 'vue'

export type Theme = 'light' | 'dark' | 'system'

const storageKey = 'orq.theme'
const systemDark = matchMedia('(prefers-color-scheme: dark)')

function stored(): Theme {
  try {
    const value = localStorage.getItem(storageKey)
    return value === 'light' || value === 'dark' ? value : 'system'
  } catch {
    return 'system'
  }
}

export const theme = ref<Theme>(stored())

function show(): void {
  const dark = theme.value === 'dark' || (theme.value === 'system' && systemDark.matches)
  document.documentElement.classList.toggle('dark', dark)
}

export function setTheme(next: Theme): void {
  theme.value = next
  show()
  try {
    localStorage.setItem(storageKey, next)
  } catch {
    // Storage may be blocked; the choice then lasts until the page is closed.
  }
}

systemDark.addEventListener('change', show)
