/** The IPv4 address of a client, different for the first 16 million. */
export const address = (index: number) =>
  `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`
