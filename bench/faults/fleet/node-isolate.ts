/** A thread that serves one app. */
import { parentPort, workerData } from 'node:worker_threads'
import { serve } from '@hono/node-server'
import { isolate } from './isolate.ts'

const { app } = await import(`../apps/${workerData}.ts`)
const handle = isolate(app)
const fetch = (request: Request) => handle(request)
const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
  parentPort?.postMessage(`http://127.0.0.1:${port}`),
)
// Visitors keep their connections for as long as a round lasts.
Object.assign(server, { keepAliveTimeout: 65_000 })
