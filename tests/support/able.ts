import type { Store } from '../../src/index.ts'
import { settling } from '../../src/settling/settling.ts'

/** The store, able to settle if it can be. */
export const able = (store: Store): Store =>
  store.access || store.settle ? settling(store) : store
