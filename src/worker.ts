/**
 * The Worker that fronts an origin, ready to deploy: `tidegate/worker`. What it does is in its
 * variables (`FrontEnv`); wrangler.toml shows them.
 */
import { front } from './worker/front.ts'

/**
 * The class behind the binding TIDEGATE, which has to be exported by the Worker that is deployed.
 */
export { TidegateObject } from './stores/tidegate-object.ts'
export { type Front, type FrontEnv, type FrontOptions, front } from './worker/front.ts'

export default front()
