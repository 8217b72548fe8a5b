import type { Window } from '../books.ts'
import type { MakeRule } from '../isolate.ts'

/** A Map in each isolate, as memory stores have it: nobody knows of the others. */
export const perIsolate: MakeRule = ({ limit, window, now, books }) => {
  const shared = new Map<string, { readonly endsAt: number }>()

  /** The window of all isolates together, had they one: from its first request on. */
  function trueWindow(client: string): Window {
    const open = shared.get(client)
    if (open && now() < open.endsAt) return open
    const begun = { endsAt: now() + window }
    shared.set(client, begun)
    return begun
  }

  return {
    billed: () => 0,
    start({ clock }) {
      const counts = new Map<string, { count: number; readonly endsAt: number }>()
      return async (ask) => {
        let own = counts.get(ask.client)
        if (own === undefined || clock() >= own.endsAt) {
          own = { count: 0, endsAt: clock() + window }
          counts.set(ask.client, own)
        }
        own.count++
        const allowed = own.count <= limit
        if (allowed) books.counted(ask, trueWindow(ask.client))
        else books.full(ask, trueWindow(ask.client))
        return allowed
      }
    },
  }
}
