import '@/shared/styles/main.css'
import { createApp } from 'vue'
import App from './App.vue'

createApp(App).mount('#app')
