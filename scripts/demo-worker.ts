/**
 * The Worker of `npm start`: src/worker.ts behind what Cloudflare's edge does to each request. The
 * edge sets CF-Connecting-IP, whatever the client sent. Miniflare keeps a value that the client
 * sent, so a client could get a fresh quota by a forged one.
 */
import gate, { type FrontEnv } from '../src/worker.ts'

export { TidegateObject } from '../src/worker.ts'

/** The demo listens on the loopback interface alone. */
const CLIENT = '127.0.0.1'

export default {
  fetch(request: Request, env: FrontEnv, context: Parameters<typeof gate.fetch>[2]) {
    const received = new Request(request)
    received.headers.set('CF-Connecting-IP', CLIENT)
    return gate.fetch(received, env, context)
  },
}
