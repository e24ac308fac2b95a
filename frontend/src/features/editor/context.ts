// What the fields of the editor need to know about the whole.
import { inject, provide, type InjectionKey } from 'vue'

export interface EditorContext {
  /** The workflow that is edited; undefined for a new one. */
  workflowID?: string
  /** Whose calendars and permissions count; undefined is the person's own project. */
  projectID?: string
}

const contextKey: InjectionKey<() => EditorContext> = Symbol('editor')

export function provideEditorContext(context: () => EditorContext): void {
  provide(contextKey, context)
}

export function useEditorContext(): () => EditorContext {
  return inject(contextKey, () => ({}))
}
