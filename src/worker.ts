/**
 * The Worker that fronts an origin, ready to deploy: `tidegate/worker`. What it does is in its
 * variables (`FrontEnv`); wrangler.toml shows them.
 */
import { front } from './adapters/front.ts'

export { type Front, type FrontEnv, type FrontOptions, front } from './adapters/front.ts'

export default front()
