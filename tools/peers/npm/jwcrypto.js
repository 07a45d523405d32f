// Runs jwcrypto: makes keys, tokens and assertions ("make"), reads keys ("load"), verifies
// tokens ("tokens") and assertions ("bundles"). The question is on standard input, the answer
// on standard output, both JSON.
'use strict';

require('./random.js');
const { promisify } = require('util');
const { text } = require('stream/consumers');
const jwcrypto = require('jwcrypto');
require('jwcrypto/lib/algs/rs');
require('jwcrypto/lib/algs/ds');

const generate = promisify(jwcrypto.generateKeypair);
const sign = promisify(jwcrypto.sign);
const verify = promisify(jwcrypto.verify);
const certify = promisify(jwcrypto.cert.sign);
const assert = promisify(jwcrypto.assertion.sign);

// generateKey returns a key for one of our names, such as "RS256". A provider gets a user's
// public key as text, so it is serialized and loaded here.
async function generateKey(alg) {
  const { publicKey, secretKey } = await generate({ algorithm: `${alg.slice(0, 2)}A`, keysize: Number(alg.slice(2)) });
  return { publicKey: jwcrypto.loadPublicKey(publicKey.serialize()), secretKey };
}

// backed returns an assertion. jwcrypto writes times in seconds: a factor of 1000 writes
// milliseconds, as the protocol has them.
async function backed(issuer, user, { domain, email, audience, now }, factor) {
  const at = (seconds) => ({ valueOf: () => (now + seconds) * 1000 * factor });
  const certificate = await certify(
    { publicKey: user.publicKey, principal: { email } },
    { issuer: domain, issuedAt: at(-1), expiresAt: at(3600) }, null, issuer.secretKey);
  const token = await assert({}, { audience, expiresAt: at(120) }, user.secretKey);
  return jwcrypto.cert.bundle([certificate], token);
}

async function make({ algorithms, tokens, assertions, ...claims }) {
  const made = { keys: [], bundles: [] };
  const pairs = [];
  for (const alg of algorithms) {
    const issuer = await generateKey(alg);
    const user = await generateKey(alg);
    pairs.push({ alg, issuer, user });
    for (const { publicKey, secretKey } of [issuer, user]) {
      const signed = [];
      for (let i = 0; i < tokens / 2; i++) signed.push(await sign({ i }, secretKey));
      made.keys.push({ alg, public: publicKey.serialize(), secret: secretKey.serialize(), tokens: signed });
    }
  }
  for (const { alg, issuer } of pairs) {
    for (const { alg: userAlg, user } of pairs) {
      const milliseconds = [];
      for (let i = 0; i < assertions; i++) milliseconds.push(await backed(issuer, user, { ...claims, now: claims.now - i }, 1000));
      const seconds = await backed(issuer, user, claims, 1);
      made.bundles.push({ issuer: alg, user: userAlg, key: issuer.publicKey.serialize(), milliseconds, seconds });
    }
  }
  return made;
}

// outcomes calls a function with each item, and returns its result or its error.
async function outcomes(items, f) {
  const results = [];
  for (const item of items) {
    try {
      results.push({ value: await f(item) });
    } catch (error) {
      results.push({ error: String(error.message || error) });
    }
  }
  return results;
}

const load = (key) => key.secret
  ? sign({}, jwcrypto.loadSecretKey(key.secret))
  : jwcrypto.loadPublicKey(key.public).serialize();

const verifyToken = async ({ key, token }) => {
  await verify(token, jwcrypto.loadPublicKey(key));
  return 'valid';
};

const verifyBundle = ({ key, text, now }) => new Promise((resolve, reject) => {
  const root = (issuer, next) => next(null, jwcrypto.loadPublicKey(key));
  jwcrypto.cert.verifyBundle(text, new Date(now * 1000), root, (error, certificates) =>
    error ? reject(error) : resolve(certificates[0].certParams.principal.email));
});

(async () => {
  const question = JSON.parse(await text(process.stdin));
  console.log(JSON.stringify(question.make ? await make(question.make) : {
    loaded: await outcomes(question.load || [], load),
    tokens: await outcomes(question.tokens || [], verifyToken),
    bundles: await outcomes(question.bundles || [], verifyBundle),
  }));
})();
