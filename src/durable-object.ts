/** Counting in Durable Objects, on Cloudflare Workers alone: `tidegate/durable-object`. */
export {
  type DurableObjectOptions,
  durableObject,
  type LocationHint,
  type ObjectNamespace,
} from './stores/durable-object.ts'
export { TidegateObject } from './stores/tidegate-object.ts'
