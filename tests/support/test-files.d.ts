/** Made by workerd.test.ts when it bundles: the test files, each by its path. */
declare module 'test-files' {
  export const files: Readonly<Record<string, () => Promise<unknown>>>
}
