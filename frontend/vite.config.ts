import { fileURLToPath, URL } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const api = process.env.ORQ_API ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [vue(), tailwindcss()],
  resolve: {
    alias: {
      '@': fileURLToPath(new URL('./src', import.meta.url)),
      'vue-i18n': fileURLToPath(new URL('./src/shared/i18n/index.ts', import.meta.url)), // 2 kB instead of 27
    },
  },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What most pages need is one file: alone, each of these is smaller than the headers that it comes with.
          groups: [
            {
              name: 'common',
              test: /src\/shared\/(lib\/(?!source|yaml|diff|dates|definition-text)|api|i18n\/[^/]*\.ts|ui\/(?!UiMenu|UiDialog|PreferenceItems|DateList|SavedViewsMenu))|@lucide\/vue/,
              minShareCount: 3,
              includeDependenciesRecursively: false,
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '/api': { target: api },
      '/monitoring': { target: api },
      '/docs': { target: api },
    },
  },
  test: {
    environment: 'node', // a file that needs a page says so in its first line
    include: ['src/**/*.spec.ts'],
    globals: false,
  },
})
