/** Tests for people who write a store (docs/writing-a-store.md): `tidegate/testing`. */
export { type ManualClock, manualClock } from './clock.ts'
export { storeConformance } from './conformance.ts'
export type { ConformanceOptions, Subject } from './subject.ts'
