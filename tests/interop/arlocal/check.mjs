// Checkpoints of 256 KiB and 5 MiB through arlocal, both ways (see exchange.mjs).
import { exchange } from './exchange.mjs';

const [program, url, jwkFile, scratch] = process.argv.slice(2);
await exchange({
  program, url, jwkFile, scratch,
  sizes: [262144, 5 * 1024 * 1024], schemes: ['ed25519', 'ecdsa', 'none'],
});
console.log('256 KiB and 5 MiB, both ways, through arlocal');
