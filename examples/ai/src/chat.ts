import {
  consumeStream,
  convertToModelMessages,
  createUIMessageStreamResponse,
  isStepCount,
  type LanguageModel,
  streamText,
  type ToolSet,
  toUIMessageStream,
  type UIMessage,
} from 'ai'
import type { Store } from 'tidegate'
import { tokenBudget } from './budget.ts'
import { settleUsage, type WaitUntil } from './reservation.ts'

/** Who asks, as your sessions tell. */
export interface Member {
  readonly user: string
  readonly org: string
}

const MAX_OUTPUT_TOKENS = 1_000
/** English text has about 4 characters for each token, code and other languages fewer. */
const CHARACTERS_PER_TOKEN = 3

/** Returns the handler of a chat. Its requests are those of `useChat`. */
export function chat(
  model: LanguageModel,
  store: Store,
  toolsOf: (member: Member) => ToolSet = () => ({}),
) {
  const budget = tokenBudget(store)

  return async (request: Request, member: Member, waitUntil?: WaitUntil): Promise<Response> => {
    const body: { messages: UIMessage[] } = await request.json()
    const messages = await convertToModelMessages(body.messages)
    const promptTokens = Math.ceil(JSON.stringify(messages).length / CHARACTERS_PER_TOKEN)
    const reserved = promptTokens + MAX_OUTPUT_TOKENS
    const clients = { user: member.user, org: member.org }
    const decision = await budget.take({ clients }, { cost: reserved, waitUntil })
    if (!decision.allowed) return budget.refuse(decision, request)

    const { stream } = streamText({
      model,
      messages,
      tools: toolsOf(member),
      stopWhen: isStepCount(5),
      maxOutputTokens: MAX_OUTPUT_TOKENS,
      abortSignal: request.signal,
      ...settleUsage(budget, decision, reserved, waitUntil),
    })
    const response = createUIMessageStreamResponse({
      stream: toUIMessageStream({ stream }),
      // Read to its end also if the client has left, so that it is settled.
      consumeSseStream({ stream }) {
        const reading = consumeStream({ stream })
        waitUntil?.(reading)
      },
    })
    return budget.mark(response, decision)
  }
}
