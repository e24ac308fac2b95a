export {
  useDeleteWorkflow,
  useOccurrences,
  useRestoreVersion,
  useToggleWorkflow,
  useVersions,
  useWorkflow,
  useWorkflowList,
  type WorkflowFilter,
} from './api'
export { exportWorkflows } from './bulk'
export { default as WorkflowTable } from './WorkflowTable.vue'
export { default as DraftBanner } from './DraftBanner.vue'
export { default as WorkflowHeader } from './WorkflowHeader.vue'
export { default as DefinitionSummary } from './DefinitionSummary.vue'
export { default as OccurrenceTable } from './OccurrenceTable.vue'
export { default as VersionItem } from './VersionItem.vue'
export { default as ExplainPanel } from './ExplainPanel.vue'
