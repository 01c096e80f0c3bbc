// Makes sealed.json, an independent writing of our sealed boxes and key files: npm install
// @noble/ciphers@1 @noble/curves@1 @noble/hashes@1, then node make_sealed.mjs > sealed.json
import { xchacha20poly1305 } from '@noble/ciphers/chacha';
import { ed25519, x25519 } from '@noble/curves/ed25519';
import { secp256k1 } from '@noble/curves/secp256k1';
import { argon2id } from '@noble/hashes/argon2';
import { blake2b } from '@noble/hashes/blake2b';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils';

const filled = (size, first) => Uint8Array.from({ length: size }, (_, i) => (first + i) & 255);

function sealedBox({ recipientSecret, ephemeralSecret, content, context }) {
  const recipient = x25519.getPublicKey(recipientSecret);
  const ephemeral = x25519.getPublicKey(ephemeralSecret);
  const derived = blake2b(concatBytes(
    utf8ToBytes('tallystick/seal/v1'), x25519.getSharedSecret(ephemeralSecret, recipient),
    ephemeral, recipient, utf8ToBytes(context)), { dkLen: 64 });
  const box = xchacha20poly1305(derived.subarray(0, 32), derived.subarray(32, 56)).encrypt(content);
  return {
    recipient_secret: bytesToHex(recipientSecret), recipient_public: bytesToHex(recipient),
    content: bytesToHex(content), context, sealed: bytesToHex(concatBytes(ephemeral, box)),
  };
}

const kinds = ['ecdsa', 'ed25519', 'consensus', 'vrf', 'node'];

function u64(value) {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(value), true);
  return out;
}

function keyFile(kind, secret, password) {
  const curve = kind === 'ecdsa' ? secp256k1 : ed25519;
  const publicKey = curve.getPublicKey(secret);
  const [passes, memoryBytes] = [2, 64 * 1024];
  const salt = filled(16, 40);
  const nonce = filled(24, 80);
  const bound = concatBytes(
    utf8ToBytes('tallystick/key-file/v1'), Uint8Array.of(kinds.indexOf(kind)),
    Uint8Array.of(publicKey.length << 2), publicKey, u64(passes), u64(memoryBytes));
  const key = argon2id(password, salt, { t: passes, m: memoryBytes / 1024, p: 1, dkLen: 32 });
  const sealed = xchacha20poly1305(key, nonce, bound).encrypt(secret);
  const checksum = blake2b(concatBytes(bound, salt, nonce, sealed), { dkLen: 32 }).subarray(0, 8);
  return {
    secret: bytesToHex(secret), password,
    file: {
      format: 'tallystick key file, version 1', kind, public_key: bytesToHex(publicKey),
      derivation: 'argon2id13', passes, memory_bytes: memoryBytes, salt: bytesToHex(salt),
      cipher: 'xchacha20-poly1305', nonce: bytesToHex(nonce), sealed: bytesToHex(sealed),
      checksum: bytesToHex(checksum),
    },
  };
}

const out = {
  made_with: { '@noble/ciphers': 1, '@noble/curves': 1, '@noble/hashes': 1 },
  boxes: [
    { recipientSecret: filled(32, 1), ephemeralSecret: filled(32, 77), content: new Uint8Array(0),
      context: '' },
    { recipientSecret: filled(32, 9), ephemeralSecret: filled(32, 5), content: filled(300, 3),
      context: 'task 7' },
  ].map(sealedBox),
  key_files: kinds.map((kind, i) => keyFile(kind, filled(32, i + 1), i % 2 ? 'pässwörd ☂' : '')),
};
process.stdout.write(JSON.stringify(out, null, 1) + '\n');
