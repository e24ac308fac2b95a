export { default as SecretList } from './SecretList.vue'
export { default as VariableList } from './VariableList.vue'
