/** Waits for `ms`, in every runtime. A timer of Node may go off a millisecond early. */
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
