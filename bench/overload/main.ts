/**
 * How many requests a Node server admits beyond its limit while 500 connections keep it, the gateway
 * and Redis busy on the same cores: with the timer of version 0.1, and with the one that tells a busy
 * process from a silent store. `npm install && npm run overload` in `bench/`.
 */
import autocannon from 'autocannon'
import { startBackend } from '../backend/backend.ts'
import { startProgram } from '../measure/program.ts'

const LIMIT = 3000
const CONNECTIONS = 500
const REQUESTS = 6000
const ROUNDS = Number(process.env.ROUNDS ?? 5)

const backend = await startBackend()
const { url, token } = backend.near
const rows: Record<string, string | number>[] = []
try {
  for (let round = 1; round <= ROUNDS; round++) {
    for (const timer of ['plain', 'tolerant']) {
      const file = new URL('server.ts', import.meta.url)
      const { program, said } = await startProgram(file, [timer, url, token, `${LIMIT}`])
      const target = `${(said as { url: string }).url}/${crypto.randomUUID()}`
      const { errors, '2xx': admitted } = await autocannon({
        url: target,
        connections: CONNECTIONS,
        amount: REQUESTS,
        timeout: 60,
      })
      const by = (await program.ask({})) as Record<string, number>
      rows.push({
        round,
        timer,
        admitted,
        beyond: admitted - LIMIT,
        'by the store': by.store ?? 0,
        locally: by.local ?? 0,
        errors,
      })
      await program.stop()
    }
  }
} finally {
  await backend.stop()
}
console.table(rows)
