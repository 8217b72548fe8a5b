/** For people who write a store: `tidegate/testing`, explained in docs/writing-a-store.md. */
export { type ManualClock, manualClock } from './clock.ts'
export { type ConformanceOptions, type Subject, storeConformance } from './conformance.ts'
