export { default as AlertLog } from './AlertLog.vue'
export { default as ChannelList } from './ChannelList.vue'
export { default as RuleList } from './RuleList.vue'
