export { default as WorkflowForm } from './WorkflowForm.vue'
export { fetchWorkflow, useSaveWorkflow } from './api'
export { draftOf, newDraft, type Draft } from './model'
