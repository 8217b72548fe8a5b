import type { IncomingMessage, ServerResponse } from 'node:http'
import { RequestError } from './http.ts'

/** Upstash's limit: https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded */
const MAX_BODY = 10 * 1024 * 1024

/**
 * The body of a request. Of one that is refused Node reads what is left and drops it, until its
 * `requestTimeout`: a connection that was closed at once could lose the answer on its way.
 */
export function readBody(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
  const said = request.headers['content-length']
  if (said !== undefined && Number(said) > MAX_BODY) return Promise.reject(tooLarge(said))
  if (request.headers.expect !== undefined) response.writeContinue()
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const take = (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size <= MAX_BODY) return
      request.off('data', take)
      chunks.length = 0
      reject(tooLarge())
    }
    request.on('data', take)
    request.on('end', () => {
      const [first] = chunks
      resolve(chunks.length === 1 && first ? first : Buffer.concat(chunks))
    })
    request.on('error', () => reject(new RequestError(400, 'ERR the request was broken off')))
  })
}

function tooLarge(actual?: string): RequestError {
  const said = `ERR max request size exceeded. Limit: ${MAX_BODY} bytes`
  return new RequestError(413, actual ? `${said}, Actual: ${actual} bytes` : said)
}
