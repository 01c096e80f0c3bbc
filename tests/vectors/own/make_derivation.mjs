// Makes derivation.json: npm install @polkadot/util-crypto@14.0.3 @polkadot/keyring@14.0.3
// @scure/bip39@1, then node make_derivation.mjs > derivation.json
import { cryptoWaitReady, mnemonicToEntropy, mnemonicToMiniSecret } from '@polkadot/util-crypto';
import { Keyring } from '@polkadot/keyring';
import { hexToU8a, u8aToHex } from '@polkadot/util';
import { entropyToMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english';

await cryptoWaitReady();

const dev = 'bottom drive obey lake curtain smoke basket hold race lonely fit walk';
const out = {
  made_with: { '@polkadot/util-crypto': '14.0.3', '@polkadot/keyring': '14.0.3' },
  mnemonics: [], uris: [], refused_phrases: [], refused_uris: [],
};

const entropies = [
  ...['00', '7f', '80', 'ff'].map((byte) => byte.repeat(16)),
  '00'.repeat(20), '00'.repeat(24), '80'.repeat(24), 'ff'.repeat(28), '00'.repeat(32),
  '7f'.repeat(32), '0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20',
  '9e885d952ad362caeb4efe34a8e91bd2',
];
for (const entropy of entropies) {
  for (const password of ['', 'Substrate', 'pässwörd ☂']) {
    const phrase = entropyToMnemonic(hexToU8a('0x' + entropy), wordlist);
    const secret = mnemonicToMiniSecret(phrase, password || undefined);
    out.mnemonics.push({
      entropy: '0x' + entropy, phrase, password, mini_secret: u8aToHex(secret),
    });
  }
}

const uris = [
  `${dev}//Alice`, `${dev}//Alice//stash///secret`, `${dev}///secret`,
  '//a junction that is longer than thirty two bytes of text', '//0', '//18446744073709551615',
  '//007', '//Zoë', '//Alice//1//Bob',
  '0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e',
  '0x0000000000000000000000000000000000000000000000000000000000000001//Alice', '//1a',
  '//exactly-31-bytes-of-junction-ab', '//exactly-32-bytes-of-junction-abc',
  'legal winner thank year wave sausage worth useful legal winner thank yellow//Alice',
];
for (const type of ['ecdsa', 'ed25519']) {
  const keyring = new Keyring({ type, ss58Format: 42 });
  for (const uri of uris) {
    const pair = keyring.createFromUri(uri.startsWith('//') ? dev + uri : uri, {}, type);
    out.uris.push({
      type, uri, public_key: u8aToHex(pair.publicKey), account_id: u8aToHex(pair.addressRaw),
      address: pair.address,
    });
  }
}

const eleven = Array(11).fill('abandon').join(' ');
for (const phrase of [`${eleven} abandon`, `${eleven} About`, 'zoo zoo zoo',
  'legal winner thank year wave sausage worth useful legal winner thank']) {
  try {
    mnemonicToEntropy(phrase);
  } catch {
    out.refused_phrases.push(phrase);
  }
}
for (const [type, path] of [['ecdsa', '/soft'], ['ed25519', '/soft'], ['ecdsa', '//Alice/soft']]) {
  try {
    new Keyring({ type }).createFromUri(dev + path, {}, type);
  } catch (error) {
    out.refused_uris.push({ type, uri: dev + path, js: error.message });
  }
}
process.stdout.write(JSON.stringify(out, null, 1) + '\n');
