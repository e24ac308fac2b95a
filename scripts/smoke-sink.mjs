// A server for the smoke test to call: for each Idempotency-Key it fails twice with 503 and then answers JSON. It
// prints its port, and GET /seen tells how often each key came.
import { createServer } from 'node:http'

const seen = {}
const server = createServer((request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  if (request.url === '/seen') return answer(200, seen)
  const key = request.headers['idempotency-key'] ?? 'none'
  seen[key] = (seen[key] ?? 0) + 1
  if (seen[key] < 3) return answer(503, { error: 'not yet' })
  answer(200, { rate: 1.0842, currency: 'USD' })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
