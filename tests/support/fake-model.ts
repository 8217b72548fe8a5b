import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { startOrigin } from './origin.ts'
import { pause } from './pause.ts'

/** What a caller sent to the model. */
export interface ModelRequest {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
}

/** How the model answers one request. */
export interface ModelAnswer {
  /** The status of a request that is refused. */
  readonly status?: number
  readonly words?: readonly string[]
  /** A call of the tool `search`. */
  readonly search?: string
  /** `undefined`: the model reports no usage. */
  readonly tokens?: { readonly prompt: number; readonly completion: number }
  /** What the model waits for between its last word and the end. */
  readonly until?: Promise<unknown>
  /** What happens instead of the end: the connection breaks, or nothing more comes. */
  readonly end?: 'broken' | 'never'
}

/** A server that speaks the API of OpenAI for streamed chats, as many servers of models do. */
export async function startFakeModel() {
  const requests: ModelRequest[] = []
  let answer: (request: ModelRequest) => ModelAnswer = () => ({})
  let left = 0
  const origin = await startOrigin(async (incoming, response) => {
    const request: ModelRequest = JSON.parse(await text(incoming))
    requests.push(request)
    once(response, 'close').then(() => {
      if (!response.writableFinished) left++
    })
    await respond(response, answer(request))
  })
  return {
    url: `${origin.url}/v1`,
    requests,
    answerWith(next: typeof answer) {
      answer = next
    },
    /** How many callers have left before the answer's end. */
    left: () => left,
    stop: origin.stop,
  }
}

async function respond(response: ServerResponse, answer: ModelAnswer): Promise<void> {
  const { status = 200, words = [], search, tokens, until, end } = answer
  if (status !== 200) {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: { message: 'no', type: 'invalid_request_error' } }))
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (delta: object, finish_reason: string | null = null) => {
    const choices = [{ index: 0, delta, finish_reason }]
    response.write(`data: ${JSON.stringify({ id: 'chat', model: 'fake', choices })}\n\n`)
  }
  for (const content of words) {
    send({ role: 'assistant', content })
    await pause(1)
  }
  await until
  if (end === 'broken') response.destroy()
  if (end !== undefined) return
  if (search !== undefined) {
    const call = { name: 'search', arguments: JSON.stringify({ query: search }) }
    const id = `call-${crypto.randomUUID()}`
    send({ tool_calls: [{ index: 0, id, type: 'function', function: call }] })
  }
  send({}, search === undefined ? 'stop' : 'tool_calls')
  if (tokens) {
    const { prompt, completion } = tokens
    const usage = {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
    }
    response.write(`data: ${JSON.stringify({ id: 'chat', model: 'fake', choices: [], usage })}\n\n`)
  }
  response.end('data: [DONE]\n\n')
}
