// What client.ts uses of Node.js.
declare const process: { env: Record<string, string | undefined> };
