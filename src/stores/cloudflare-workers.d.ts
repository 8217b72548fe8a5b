/**
 * What the Durable Object uses of Cloudflare's runtime, so that the library needs no package for
 * its types. Not part of the build: there `cloudflare:workers` is whatever types the project has.
 */
declare module 'cloudflare:workers' {
  /** https://developers.cloudflare.com/durable-objects/api/base/ */
  export abstract class DurableObject {
    protected readonly ctx: { readonly storage: DurableObjectStorage }
  }

  /** https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/ */
  interface DurableObjectStorage {
    readonly sql: {
      exec<Row extends Readonly<Record<string, string | number | null>>>(
        query: string,
        ...values: readonly (string | number)[]
      ): { toArray(): Row[] }
    }
    transactionSync<T>(body: () => T): T
    getAlarm(): Promise<number | null>
    setAlarm(time: number): Promise<void>
    deleteAll(): Promise<void>
  }
}
