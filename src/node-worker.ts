/** `tidegate/worker` on Node, Bun and Deno, where its Durable Object can only be imported. */
import { front } from './worker/front.ts'

export { TidegateObject } from './stores/no-durable-object.ts'
export { front } from './worker/front.ts'

export default front()
