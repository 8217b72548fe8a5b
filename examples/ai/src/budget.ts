import { createLimiter, type Limiter, type Store } from 'tidegate'
import { settling } from 'tidegate/settle'

/** Tokens of each user in an hour, and of the user's organisation in a day. */
export const tokenBudget = (store: Store): Limiter =>
  createLimiter({
    policies: [
      { name: 'user', limit: 50_000, window: '1h', settle: true },
      { name: 'org', limit: 1_000_000, window: '1d', settle: true },
    ],
    store: settling(store),
  })
