// Verifies tokens by the npm package jose. Standard input is a JSON array of
// {name, token, jwks, now}; standard output is an array of {name, error}, where error is
// absent if both signatures are good.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.NPM_FOLDER + '/');
const { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } = await import(pathToFileURL(require.resolve('jose')));

// same reports whether two alg are one algorithm.
const same = (a, b) => a === b || [a, b].sort().join() === 'Ed25519,EdDSA';

async function verify(jws, jwk, typ, now) {
  const { alg } = decodeProtectedHeader(jws);
  if (jwk.alg !== undefined && !same(jwk.alg, alg)) throw new Error('the alg of the key is ' + jwk.alg);
  const key = await importJWK({ ...jwk, alg: undefined }, alg);
  await calculateJwkThumbprint(jwk); // it checks the members
  return jwtVerify(jws, key, { algorithms: [alg], typ, currentDate: new Date(now), maxTokenAge: 300, clockTolerance: 60 });
}

async function check({ token, jwks, now }) {
  const [evt, kb, more] = token.split('~');
  if (more !== undefined) throw new Error('more than two parts');
  const { kid } = decodeProtectedHeader(evt);
  let payload;
  for (const jwk of jwks.keys) {
    if (kid && jwk.kid !== kid) continue;
    try {
      ({ payload } = await verify(evt, jwk, 'evt+jwt', now));
      break;
    } catch (error) {
      if (jwk === jwks.keys.at(-1)) throw error;
    }
  }
  if (!payload) throw new Error('no key');
  const bound = await verify(kb, payload.cnf.jwk, 'kb+jwt', now);
  const hash = createHash('sha256').update(evt + '~').digest('base64url');
  if (bound.payload.sd_hash !== hash) throw new Error('sd_hash');
}

const results = [];
for (const test of JSON.parse(readFileSync(0, 'utf8'))) {
  try {
    await check(test);
    results.push({ name: test.name });
  } catch (error) {
    results.push({ name: test.name, error: String(error) });
  }
}
process.stdout.write(JSON.stringify(results));
