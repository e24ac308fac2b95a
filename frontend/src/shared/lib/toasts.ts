// Short messages about what just happened; ToastHost shows them and reads them out.
import { ref } from 'vue'

export interface Toast {
  id: number
  kind: 'done' | 'error'
  text: string
  /** Where "View" leads. */
  to?: string
}

const shownFor = { done: 5_000, error: 10_000 } // ms

export const toasts = ref<Toast[]>([])
let last = 0

export function toast(kind: Toast['kind'], text: string, to?: string): void {
  const id = ++last
  toasts.value = [...toasts.value.slice(-2), { id, kind, text, to }]
  setTimeout(() => dismiss(id), shownFor[kind])
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((item) => item.id !== id)
}
