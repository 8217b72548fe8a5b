import { ConfigError } from '../errors.ts'

/**
 * Stands for the class `TidegateObject` where Durable Objects do not exist, so that code that
 * exports the class can be imported on Node, in unit tests for instance. Throws a `ConfigError`
 * when it is created.
 */
export class TidegateObject {
  constructor() {
    throw new ConfigError('TidegateObject', 'to run on Cloudflare Workers', 'another runtime')
  }
}
