// Writes .br and .gz beside every text file of dist/, so that the server only has to choose one.
import { readdir, readFile, writeFile, utimes, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const root = new URL('../dist/', import.meta.url).pathname
const text = /\.(js|css|html|svg|json|txt|webmanifest)$/
const smallest = 512 // below this the headers cost more than is won

let before = 0
let after = 0
for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !text.test(entry.name)) continue
  const path = join(entry.parentPath, entry.name)
  const raw = await readFile(path)
  if (raw.length < smallest) continue
  const br = brotliCompressSync(raw, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length },
  })
  const { mtime } = await stat(path)
  for (const [ending, data] of [
    ['.br', br],
    ['.gz', gzipSync(raw, { level: 9 })],
  ]) {
    await writeFile(path + ending, data)
    await utimes(path + ending, mtime, mtime)
  }
  before += raw.length
  after += br.length
}
// vite empties dist/; Git needs this file to keep the folder, and Go needs the folder to compile.
await writeFile(join(root, '.gitkeep'), '')
console.log(`compressed ${(before / 1024).toFixed(0)} kB to ${(after / 1024).toFixed(0)} kB (brotli)`)
