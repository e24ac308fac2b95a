export { default as WorkflowForm } from './WorkflowForm.vue'
export { fetchWorkflow, useSaveWorkflow } from './api'
export { newDraft, type Draft } from './model'
export { draftOf } from './read'
