export { default as BackfillList } from './BackfillList.vue'
