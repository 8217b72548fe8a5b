import type { IncomingMessage, ServerResponse } from 'node:http'
import { RequestError } from './http.ts'

/** Upstash's limit: https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded */
const MAX_BODY_BYTES = 10 * 1024 * 1024

/**
 * Reads the body of a request. Rejects with a `RequestError` if it is too large or cut off. Node
 * then reads the rest and drops it, until its `requestTimeout`: if the connection were closed at
 * once, the response could be lost on its way.
 */
export function readBody(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
  const declared = request.headers['content-length']
  if (declared !== undefined && Number(declared) > MAX_BODY_BYTES) {
    return Promise.reject(tooLarge(declared))
  }
  if (request.headers.expect !== undefined) response.writeContinue()
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const take = (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size <= MAX_BODY_BYTES) return
      request.off('data', take)
      chunks.length = 0
      reject(tooLarge())
    }
    request.on('data', take)
    request.on('end', () => {
      const [first] = chunks
      resolve(chunks.length === 1 && first ? first : Buffer.concat(chunks))
    })
    request.on('error', () => reject(new RequestError(400, 'ERR the request was aborted')))
  })
}

function tooLarge(actual?: string): RequestError {
  const message = `ERR max request size exceeded. Limit: ${MAX_BODY_BYTES} bytes`
  return new RequestError(413, actual ? `${message}, Actual: ${actual} bytes` : message)
}
