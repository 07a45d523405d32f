// Verifies pools of tokens with two packages of npm. It writes true when it has loaded them. The
// first line of standard input has the pools. Each further line requests some milliseconds of
// work of one package on one pool. Each line is answered by a line.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const folder = process.argv[2];
const require = createRequire(folder + '/');
const { importJWK, jwtVerify } = await import(pathToFileURL(require.resolve('jose')));
const { verifyEmailToken } = await import(pathToFileURL(folder + '/node_modules/email-verification-api/dist/index.js'));
const versionOf = (name) => JSON.parse(readFileSync(`${folder}/node_modules/${name}/package.json`, 'utf8')).version;

let setup;
const turns = {};
const issuerKeys = {}; // of jose: the imported keys, as a site would keep them

const verifiers = {
  // jose has no function for tokens: these are the checks that a site would make with it.
  async jose(name, pool, { token, nonce, email }) {
    const [evt, kb] = token.split('~');
    const options = { currentDate: new Date(setup.now), maxTokenAge: 300, clockTolerance: 60 };
    const jwk = pool.jwks.keys[0];
    const key = issuerKeys[name] ??= await importJWK(jwk, jwk.alg);
    const { payload } = await jwtVerify(evt, key, { ...options, algorithms: [jwk.alg], typ: 'evt+jwt', issuer: pool.metadata.issuer });
    const holder = await importJWK(payload.cnf.jwk);
    const bound = await jwtVerify(kb, holder, { ...options, typ: 'kb+jwt', audience: setup.audience });
    const hash = createHash('sha256').update(evt + '~').digest('base64url');
    if (bound.payload.sd_hash !== hash || bound.payload.nonce !== nonce || payload.email !== email) throw new Error('refused');
  },
  // email-verification-api has no cache. Record and documents come from memory, by its hooks.
  async 'email-verification-api'(name, pool, { token, nonce, email }) {
    const documents = { [pool.metadata.jwks_uri]: pool.jwks };
    const result = await verifyEmailToken({
      token, nonce, email, audience: setup.audience, now: () => setup.now,
      resolveTxt: async () => [[pool.record]],
      resolveHost: async () => [{ address: '93.184.216.34', family: 4 }],
      fetch: async (url) => Response.json(documents[String(url)] ?? pool.metadata),
    });
    if (!result.ok) throw new Error(result.error.stage + '/' + result.error.code);
  },
};

async function work({ pool: subject, milliseconds }) {
  const [name, pair] = subject.split(' ');
  const pool = setup.pools[pair];
  const begin = process.hrtime.bigint();
  const limit = BigInt(Math.round(milliseconds * 1e6));
  let count = 0, took;
  do {
    const turn = turns[subject] = ((turns[subject] ?? 0) + 1) % pool.tokens.length;
    await verifiers[name](pair, pool, pool.tokens[turn]);
    count++;
    took = process.hrtime.bigint() - begin;
  } while (took < limit);
  return { count, nanoseconds: Number(took) };
}

console.log('true');
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  let answer;
  if (setup) {
    answer = await work(message).catch((error) => ({ error: String(error) }));
  } else {
    setup = message;
    answer = { Node: process.version };
    for (const name of Object.keys(verifiers)) answer[name] = versionOf(name);
  }
  console.log(JSON.stringify(answer));
}
