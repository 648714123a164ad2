/** The time in milliseconds. A Worker's clock stands still until something is awaited. */
export async function now() {
  await new Promise((resolve) => setTimeout(resolve, 0));
  return performance.now();
}
