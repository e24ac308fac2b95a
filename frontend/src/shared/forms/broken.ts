// Texts of a step's configuration that are no JSON yet, by their pointer. They are part of the draft: undo and the other views
// know them too.
import { inject, provide, type InjectionKey } from 'vue'

export interface BrokenTexts {
  get: (pointer: string) => string | undefined
  set: (pointer: string, text: string | undefined) => void
}

const brokenKey: InjectionKey<BrokenTexts> = Symbol('broken texts')

export function provideBrokenTexts(texts: BrokenTexts): void {
  provide(brokenKey, texts)
}

export function useBrokenTexts(): BrokenTexts {
  return inject(brokenKey, { get: () => undefined, set: () => undefined })
}
