export { default as BackfillDialog } from './BackfillDialog.vue'
export { default as BackfillList } from './BackfillList.vue'
