// Older versions under names of their own, in the types of the newest: those of two versions do not
// go together, though what the tests call is the same.
declare module 'upstash-ratelimit-2.0' {
  export * from '@upstash/ratelimit'
  export { default } from '@upstash/ratelimit'
}
declare module 'upstash-redis-1.0' {
  export * from '@upstash/redis'
}
declare module 'upstash-redis-1.20' {
  export * from '@upstash/redis'
}
declare module 'upstash-redis-1.31' {
  export * from '@upstash/redis'
}
