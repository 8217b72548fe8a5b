/** `tidegate/durable-object` on Node, Bun and Deno, where its class can only be imported. */
export { durableObject } from './stores/durable-object.ts'
export { TidegateObject } from './stores/no-durable-object.ts'
