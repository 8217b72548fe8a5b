/** For people who write a store: `tidegate/testing`, explained in docs/writing-a-store.md. */
export { type ManualClock, manualClock } from './clock.ts'
export { storeConformance } from './conformance.ts'
export type { ConformanceOptions, Subject } from './subject.ts'
